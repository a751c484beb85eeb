import { observe } from './anomaly.ts'
import { add } from './ops/arithmetic.ts'
import { adoptInScope, scope } from './scope.ts'
import { formatShape, sameShape } from './shape.ts'
import { ones, type Tensor, zeros } from './tensor.ts'
import { mapTree, tensorsIn } from './tree.ts'

/**
 * The vector-Jacobian product of an op: from the gradients of its outputs to those of its inputs, in order.
 * `needs[i]` says whether input i's gradient is wanted; an input without one, or not wanted, gets `undefined`.
 * Written with ops, so that a gradient can be differentiated again.
 */
export type Backward = (gradients: readonly Tensor[], needs: readonly boolean[]) => readonly (Tensor | undefined)[]

/** One op on a tape. `saved` are the tensors that `backward` reads; they live until the backward pass has gone by. */
export interface TapeNode {
  readonly name: string
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
  readonly saved: readonly Tensor[]
  readonly backward: Backward
}

/** What one {@link valueAndGrad} records, oldest op first. */
class Tape {
  readonly #nodes: TapeNode[] = []
  readonly #tracked: Set<number>

  constructor(watched: readonly Tensor[]) {
    this.#tracked = new Set(watched.map((tensor) => tensor.id))
  }

  tracks(tensor: Tensor): boolean {
    return this.#tracked.has(tensor.id)
  }

  record(node: TapeNode): void {
    for (const tensor of node.saved) tensor.retain()
    for (const output of node.outputs) this.#tracked.add(output.id)
    this.#nodes.push(node)
  }

  /** Walks back from `roots`, freeing what each node saved as it passes. Gives the gradient of each wanted tensor. */
  backward(roots: readonly Tensor[], seeds: readonly Tensor[], wanted: readonly Tensor[]): Tensor[] {
    const gradients = new Map<number, Tensor>()
    roots.forEach((root, index) => {
      accumulate(gradients, root, seeds[index])
    })
    const leaves = new Set(wanted.map((tensor) => tensor.id))
    try {
      for (let node = this.#nodes.pop(); node !== undefined; node = this.#nodes.pop()) {
        try {
          this.#passBack(node, gradients)
        } finally {
          for (const tensor of node.saved) tensor.release()
        }
        for (const output of node.outputs) if (!leaves.has(output.id)) drop(gradients, output)
      }
      return wanted.map((tensor) => gradients.get(tensor.id) ?? zerosLike(tensor))
    } finally {
      for (const gradient of gradients.values()) adoptInScope(gradient)
      this.clear()
    }
  }

  /** Lets go of everything saved. */
  clear(): void {
    for (const node of this.#nodes.splice(0)) for (const tensor of node.saved) tensor.release()
  }

  #passBack(node: TapeNode, gradients: Map<number, Tensor>): void {
    if (!node.outputs.some((output) => gradients.has(output.id))) return
    scope(() => {
      const arriving = node.outputs.map((output) => gradients.get(output.id) ?? zerosLike(output))
      const needs = node.inputs.map((tensor) => this.tracks(tensor))
      const outgoing = node.backward(arriving, needs)
      node.inputs.forEach((tensor, index) => {
        const gradient = outgoing[index]
        if (gradient === undefined || !needs[index]) return
        if (!sameShape(gradient.shape, tensor.shape)) {
          throw new Error(
            `${node.name}: backward gave input ${index} a gradient of shape ${formatShape(gradient.shape)} but the input has ${formatShape(tensor.shape)}`,
          )
        }
        observe(`gradient of ${node.name} with respect to input ${index}`, [gradient], arriving)
        accumulate(gradients, tensor, gradient)
      })
    })
  }
}

/** Active tapes, outermost first. */
const tapes: Tape[] = []

/** Set while a checkpointed function runs: what it uses from outside is collected instead of being recorded. */
let collector: Collector | undefined

/**
 * Internal: puts an op on every tape that follows one of its inputs, and gives back its outputs.
 * Ops with integer outputs or piecewise constant results are simply not recorded.
 */
export function record(node: TapeNode): void {
  observe(node.name, node.outputs, node.inputs)
  if (collector !== undefined) {
    collector.collect(node)
    return
  }
  for (const tape of tapes) if (node.inputs.some((tensor) => tape.tracks(tensor))) tape.record(node)
}

/**
 * A function that gives the value of a scalar function and its gradient with respect to the function's argument:
 * a tensor, or tensors in nested arrays and plain objects. Everything else the function made is freed.
 * @throws TypeError when the function's value is not a floating scalar tensor.
 */
export function valueAndGrad<T>(f: (argument: T) => Tensor): (argument: T) => { value: Tensor; gradient: T } {
  return (argument) =>
    scope(() => {
      const watched = tensorsIn(argument)
      const tape = new Tape(watched)
      try {
        tapes.push(tape)
        const value = withTape(() => scope(() => f(argument)))
        if (value.size !== 1 || value.rank !== 0 || value.dtype === 'int32') {
          throw new TypeError(`valueAndGrad: the function gave ${value} but must give a floating scalar, shape []`)
        }
        const seed = ones([], { dtype: value.dtype, executor: value.executor })
        const gradients = tape.backward([value], [seed], watched)
        const byId = new Map(watched.map((tensor, index) => [tensor.id, gradients[index]]))
        return { value, gradient: mapTree(argument, (tensor) => byId.get(tensor.id) ?? zerosLike(tensor)) }
      } finally {
        tape.clear()
      }
    })
}

/** Like {@link valueAndGrad}, for the gradient alone. */
export function grad<T>(f: (argument: T) => Tensor): (argument: T) => T {
  const both = valueAndGrad(f)
  return (argument) => scope(() => both(argument).gradient)
}

/**
 * Runs `body` and keeps nothing of it for the backward pass but the tensors it takes from outside; the backward pass
 * runs it again (Chen et al., arXiv 1604.06174). `body` must compute the same both times: give it a fresh
 * {@link Generator.split} of a generator if it draws numbers.
 */
export function checkpoint(body: () => Tensor): Tensor {
  if (tapes.length === 0) return scope(body)
  const outer = collector
  const own = new Collector()
  collector = own
  let output: Tensor
  try {
    output = scope(body)
  } finally {
    collector = outer
  }
  const used = own.used
  record({
    name: 'checkpoint',
    inputs: used,
    outputs: [output],
    saved: used,
    backward: ([gradient]) => {
      const tape = new Tape(used)
      tapes.push(tape)
      const again = withTape(() => scope(body))
      return tape.backward([again], [gradient], used)
    },
  })
  return output
}

/** Runs `body` without recording: its results are constants to every tape. */
export function stopGradient<R>(body: () => R): R {
  const active = tapes.splice(0)
  try {
    return body()
  } finally {
    tapes.push(...active)
  }
}

/** Tracked tensors that ops take from outside of a checkpointed function. */
class Collector {
  readonly #used = new Map<number, Tensor>()
  readonly #made = new Set<number>()

  get used(): readonly Tensor[] {
    return [...this.#used.values()]
  }

  collect(node: TapeNode): void {
    const outside = node.inputs.filter((input) => tapes.some((tape) => tape.tracks(input)))
    for (const input of outside) if (!this.#made.has(input.id)) this.#used.set(input.id, input)
    for (const output of node.outputs) this.#made.add(output.id)
  }
}

/** Runs the body of the tape on top of the stack, then takes the tape off. */
function withTape<R>(body: () => R): R {
  try {
    return body()
  } finally {
    tapes.pop()
  }
}

function accumulate(gradients: Map<number, Tensor>, tensor: Tensor, gradient: Tensor): void {
  const before = gradients.get(tensor.id)
  const sum = before === undefined ? gradient : add(before, gradient)
  sum.retain()
  before?.release()
  gradients.set(tensor.id, sum)
}

function drop(gradients: Map<number, Tensor>, tensor: Tensor): void {
  gradients.get(tensor.id)?.release()
  gradients.delete(tensor.id)
}

function zerosLike(tensor: Tensor): Tensor {
  return zeros(tensor.shape, { dtype: tensor.dtype, executor: tensor.executor })
}
