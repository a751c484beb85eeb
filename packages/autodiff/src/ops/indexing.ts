import { defaultDType } from '../context.ts'
import type { GatherParams } from '../executor.ts'
import { axisView, formatShape, resolveAxis, sameShape, sizeOf } from '../shape.ts'
import { record } from '../tape.ts'
import { emptyTensor, type Tensor } from '../tensor.ts'
import { add } from './arithmetic.ts'
import { checkIndices, checkOperands } from './elementwise.ts'
import { reshape } from './layout.ts'

/**
 * Picks along an axis: `y[…, c, …] = x[…, index[…, c, …], …]`; index `int32`, of x's shape but for the axis.
 * @throws RangeError when the other axes differ or an index is out of range.
 */
export function gather(x: Tensor, index: Tensor, options: { readonly axis: number }): Tensor {
  checkOperands('gather', [x])
  const axis = resolveAxis('gather', options.axis, x.rank)
  checkIndexShape('gather', x, index, axis)
  return pick('gather', x, index, index.shape, along(x, index, axis))
}

/**
 * x with `source` added where {@link gather} would have picked: `y[…, index[…, c, …], …] += source[…, c, …]`.
 * @throws RangeError when shapes differ or an index is out of range.
 */
export function scatterAdd(x: Tensor, index: Tensor, source: Tensor, options: { readonly axis: number }): Tensor {
  checkOperands('scatterAdd', [x, source])
  const axis = resolveAxis('scatterAdd', options.axis, x.rank)
  checkIndexShape('scatterAdd', x, index, axis)
  if (!sameShape(source.shape, index.shape)) {
    throw new RangeError(
      `scatterAdd: source has shape ${formatShape(source.shape)} but index has ${formatShape(index.shape)}`,
    )
  }
  return add(x, scatter('scatterAdd', source, index, x.shape, along(x, index, axis)))
}

/**
 * Rows of a table: table [V, D], ids `int32` [...] → [..., D].
 * @throws RangeError when the table is no matrix or an id is not in [0, V).
 */
export function embedding(table: Tensor, ids: Tensor): Tensor {
  checkOperands('embedding', [table])
  if (table.rank !== 2)
    throw new RangeError(`embedding: table has shape ${formatShape(table.shape)} but must be [V, D]`)
  const [length, inner] = table.shape
  checkIndices('embedding', 'ids', ids, length)
  const params = { outer: 1, length, inner, count: ids.size, indexStrides: [0, 1, 0] } as const
  return pick('embedding', table, ids, [...ids.shape, inner], params)
}

/**
 * 1 at the class of each id, 0 elsewhere: ids `int32` [...] → [..., classes], in the default floating type.
 * @throws RangeError when an id is not in [0, classes).
 */
export function oneHot(ids: Tensor, classes: number): Tensor {
  checkIndices('oneHot', 'ids', ids, classes)
  const output = emptyTensor(ids.executor, defaultDType(), [...ids.shape, classes])
  ids.executor.run('oneHot', [ids.buffer], [output.buffer], { count: ids.size, classes })
  return output
}

function pick(op: string, x: Tensor, index: Tensor, shape: readonly number[], params: GatherParams): Tensor {
  const { buffer, executor, dtype } = x
  const output = emptyTensor(executor, dtype, shape)
  executor.run('gather', [buffer, index.buffer], [output.buffer], params)
  const from = x.shape
  const backward = ([g]: readonly Tensor[]) => [scatter(op, g, index, from, params)]
  record({ name: op, inputs: [x], outputs: [output], saved: [index], backward })
  return output
}

function scatter(op: string, source: Tensor, index: Tensor, shape: readonly number[], params: GatherParams): Tensor {
  const { buffer, executor, dtype } = source
  const output = emptyTensor(executor, dtype, shape)
  executor.run('scatterAdd', [buffer, index.buffer], [output.buffer], params)
  const from = source.shape
  const backward = ([g]: readonly Tensor[]) => [reshape(pick(op, g, index, from, params), from)]
  record({ name: op, inputs: [source], outputs: [output], saved: [index], backward })
  return output
}

function along(x: Tensor, index: Tensor, axis: number): GatherParams {
  const view = axisView(x.shape, axis)
  const count = index.shape[axis]
  return { ...view, count, indexStrides: [count * view.inner, view.inner, 1] }
}

function checkIndexShape(op: string, x: Tensor, index: Tensor, axis: number): void {
  const fits = index.rank === x.rank && sizeOf(index.shape.with(axis, 1)) === sizeOf(x.shape.with(axis, 1))
  if (!fits || index.shape.some((extent, other) => other !== axis && extent !== x.shape[other])) {
    throw new RangeError(
      `${op}: index has shape ${formatShape(index.shape)} but must be ${formatShape(x.shape)} up to axis ${axis}`,
    )
  }
  checkIndices(op, 'index', index, x.shape[axis])
}
