import { constant, type Expression, input } from '../expression.ts'
import { broadcastShapes, broadcastStrides, formatShape } from '../shape.ts'
import { record } from '../tape.ts'
import { emptyTensor, Tensor } from '../tensor.ts'
import { isZero, tangent } from './derivative.ts'
import { sumTo } from './sum-to.ts'

/** A tensor, or a number that stands for every element. */
export type TensorLike = Tensor | number

/**
 * Internal: applies a scalar expression to broadcast operands. Its gradient, and the gradient of that, come from the
 * expression.
 */
export function elementwise(op: string, expression: Expression, operands: readonly TensorLike[]): Tensor {
  const tensors = operands.filter((operand) => operand instanceof Tensor)
  checkOperands(op, tensors)
  const slots = operands.map((operand) =>
    operand instanceof Tensor ? input(tensors.indexOf(operand)) : constant(operand),
  )
  return run(op, substitute(expression, slots), tensors)
}

/** @throws TypeError when floating operands differ in dtype or executor, or one is an index tensor. */
export function checkOperands(op: string, tensors: readonly Tensor[]): void {
  const [first] = tensors
  if (first === undefined) throw new TypeError(`${op}: at least one operand must be a tensor`)
  for (const tensor of tensors) {
    if (tensor.dtype === 'int32') throw new TypeError(`${op}: operand ${tensor} must be floating, int32 is for indices`)
    if (tensor.dtype !== first.dtype)
      throw new TypeError(`${op}: operands are ${first.dtype} and ${tensor.dtype} but must have one dtype`)
    if (tensor.executor !== first.executor) {
      throw new TypeError(
        `${op}: operands are on executors ${first.executor.name} and ${tensor.executor.name} but must be on one`,
      )
    }
  }
}

function run(op: string, whole: Expression, operands: readonly Tensor[]): Tensor {
  const { expression, used } = prune(whole, operands)
  const shape = operands.map((operand) => operand.shape).reduce((a, b) => broadcastShapes(op, a, b))
  const [{ executor, dtype }] = operands
  const buffers = used.map((operand) => operand.buffer)
  const output = emptyTensor(executor, dtype, shape)
  const strides = used.map((operand) => broadcastStrides(operand.shape, shape))
  executor.run('map', buffers, [output.buffer], { expression, shape, strides })
  const gradients = used.map((_, index) => tangent(expression, index, input(used.length)))
  const saved = new Set(gradients.flatMap((gradient) => [...inputsOf(gradient)]))
  record({
    name: op,
    inputs: used,
    outputs: [output],
    saved: used.filter((_, index) => saved.has(index)),
    backward: ([seed], needs) =>
      gradients.map((gradient, index) => {
        if (!needs[index] || isZero(gradient)) return undefined
        return sumTo(run(`gradient of ${op}`, gradient, [...used, seed]), used[index].shape)
      }),
  })
  return output
}

/** Leaves out the operands that the expression does not read: a gradient rarely needs them all. */
function prune(
  expression: Expression,
  operands: readonly Tensor[],
): { expression: Expression; used: readonly Tensor[] } {
  const read = [...inputsOf(expression)].sort((a, b) => a - b)
  const slots = operands.map((_, index) => input(read.indexOf(index)))
  return { expression: substitute(expression, slots), used: read.map((index) => operands[index]) }
}

function inputsOf(expression: Expression, found: Set<number> = new Set()): ReadonlySet<number> {
  if (expression.kind === 'input') found.add(expression.index)
  if (expression.kind === 'call') for (const arg of expression.args) inputsOf(arg, found)
  return found
}

function substitute(expression: Expression, slots: readonly Expression[]): Expression {
  if (expression.kind === 'input') return slots[expression.index]
  if (expression.kind === 'constant') return expression
  return { ...expression, args: expression.args.map((arg) => substitute(arg, slots)) }
}

/** @throws TypeError when an index tensor is expected and `index` is not one; RangeError when it may leave [0, limit). */
export function checkIndices(op: string, name: string, index: Tensor, limit: number): void {
  if (index.dtype !== 'int32') throw new TypeError(`${op}: ${name} is ${index.dtype} but must be int32`)
  if (index.size === 0) return
  if (index.range === undefined || index.range[0] < 0 || index.range[1] >= limit) {
    const found = index.range === undefined ? 'unknown values' : `values from ${index.range[0]} to ${index.range[1]}`
    throw new RangeError(`${op}: ${name} ${formatShape(index.shape)} has ${found} but they must be in [0, ${limit})`)
  }
}
