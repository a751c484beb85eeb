import { formatShape, sameShape, type Tensor, zeros } from '@mixtape/autodiff'
import { KeptTensor } from './kept-tensor.ts'
import type { Gradients, OptimizerState } from './optimizer.ts'
import type { Parameter, Parameters } from './parameter.ts'

/**
 * What every optimiser keeps: its parameters, the number of steps taken, and running averages, zeros of each
 * parameter's shape to begin with.
 */
export class Averages {
  readonly #kind: string
  readonly #parameters: Parameters
  readonly #kept: ReadonlyMap<string, KeptTensor>
  #steps = 0

  constructor(kind: string, parameters: Parameters, averages: readonly string[]) {
    this.#kind = kind
    this.#parameters = parameters
    this.#kept = new Map(
      Object.entries(parameters).flatMap(([name, { value }]) =>
        averages.map((average) => {
          const key = `${name}/${average}`
          const start = zeros(value.shape, { dtype: value.dtype, executor: value.executor })
          return [key, new KeptTensor(`${kind}: ${key}`, start)] as const
        }),
      ),
    )
  }

  get steps(): number {
    return this.#steps
  }

  /**
   * Counts a step and gives each gradient with its parameter.
   * @throws RangeError or TypeError, before anything changes, when the learning rate is not a number of at least 0 or a
   * gradient does not fit a parameter.
   */
  begin(gradients: Gradients, learningRate: number): readonly (readonly [string, Tensor, Parameter])[] {
    if (!(learningRate >= 0 && learningRate < Number.POSITIVE_INFINITY)) {
      throw new RangeError(`${this.#kind}: learningRate is ${learningRate} but must be a finite number, 0 or more`)
    }
    const updates = Object.entries(gradients).map(([name, gradient]) => {
      if (!Object.hasOwn(this.#parameters, name)) {
        throw new RangeError(`${this.#kind}: there is a gradient for ${name} but no such parameter`)
      }
      const parameter = this.#parameters[name]
      this.#checkGradient(name, gradient, parameter.value)
      return [name, gradient, parameter] as const
    })
    this.#steps++
    return updates
  }

  get(name: string, average: string): Tensor {
    return this.#find(`${name}/${average}`).tensor
  }

  set(name: string, average: string, next: Tensor): void {
    this.#find(`${name}/${average}`).tensor = next
  }

  state(): OptimizerState {
    const tensors = Object.fromEntries([...this.#kept].map(([key, { tensor }]) => [key, tensor]))
    return { kind: this.#kind, steps: this.#steps, tensors }
  }

  restore(state: OptimizerState): void {
    this.#check(state)
    this.#steps = state.steps
    for (const [key, kept] of this.#kept) kept.tensor = state.tensors[key]
  }

  #check({ kind, steps, tensors }: OptimizerState): void {
    if (kind !== this.#kind) throw new Error(`${this.#kind}: the state is one of ${kind}`)
    if (!Number.isInteger(steps) || steps < 0) {
      throw new RangeError(`${kind}: the state has ${steps} steps but must have a non-negative integer`)
    }
    const missing = [...this.#kept.keys()].filter((key) => !Object.hasOwn(tensors, key))
    const unexpected = Object.keys(tensors).filter((key) => !this.#kept.has(key))
    if (missing.length > 0 || unexpected.length > 0) {
      throw new Error(
        `${kind}: the state lacks [${missing.join(', ')}] and has [${unexpected.join(', ')}], which no parameter of this optimiser has`,
      )
    }
    for (const [key, kept] of this.#kept) kept.check(tensors[key])
  }

  #find(key: string): KeptTensor {
    const kept = this.#kept.get(key)
    if (kept === undefined) throw new RangeError(`${this.#kind}: there is no average ${key}`)
    return kept
  }

  #checkGradient(name: string, gradient: Tensor, value: Tensor): void {
    if (!sameShape(gradient.shape, value.shape)) {
      throw new RangeError(
        `${this.#kind}: the gradient of ${name} has shape ${formatShape(gradient.shape)} but the parameter has ${formatShape(value.shape)}`,
      )
    }
    if (gradient.dtype !== value.dtype || gradient.executor !== value.executor) {
      throw new TypeError(
        `${this.#kind}: the gradient of ${name} is ${gradient.dtype} on ${gradient.executor.name} but the parameter is ${value.dtype} on ${value.executor.name}`,
      )
    }
    if (gradient.freed) throw new Error(`${this.#kind}: the gradient of ${name} was freed when its scope ended`)
  }
}
