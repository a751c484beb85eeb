import {
  broadcastStrides,
  checkShape,
  formatShape,
  resolveAxis,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
} from '../shape.ts'
import { record } from '../tape.ts'
import { emptyTensor, type Tensor } from '../tensor.ts'
import { sumTo } from './sum-to.ts'

/**
 * The same elements under another shape, without a copy. One extent may be −1: what is left.
 * @throws RangeError when the number of elements differs.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const target = checkShape('reshape', inferExtent(x, shape))
  if (sizeOf(target) !== x.size) {
    throw new RangeError(
      `reshape: x has shape ${formatShape(x.shape)}, ${x.size} elements, but shape is ${formatShape(shape)}`,
    )
  }
  if (sameShape(target, x.shape)) return x
  const output = x.withShape(target)
  const from = x.shape
  record({ name: 'reshape', inputs: [x], outputs: [output], saved: [], backward: ([g]) => [reshape(g, from)] })
  return output
}

/**
 * Reorders axes: axis i of the result is axis `permutation[i]` of x. Default: all axes reversed.
 * @throws RangeError when `permutation` does not name every axis once.
 */
export function transpose(
  x: Tensor,
  permutation: readonly number[] = x.shape.map((_, axis) => x.rank - 1 - axis),
): Tensor {
  const order = permutation.map((axis) => resolveAxis('transpose', axis, x.rank))
  if (order.length !== x.rank || new Set(order).size !== x.rank) {
    throw new RangeError(
      `transpose: permutation is [${permutation.join(', ')}] but must name each of ${x.rank} axes once`,
    )
  }
  const strides = stridesOf(x.shape)
  const output = stridedCopy(
    x,
    order.map((axis) => x.shape[axis]),
    0,
    order.map((axis) => strides[axis]),
  )
  const inverse = order.map((_, axis) => order.indexOf(axis))
  record({ name: 'transpose', inputs: [x], outputs: [output], saved: [], backward: ([g]) => [transpose(g, inverse)] })
  return output
}

/** Exchanges two axes. */
export function swapAxes(x: Tensor, a: number, b: number): Tensor {
  const order = x.shape.map((_, axis) => axis)
  const [i, j] = [resolveAxis('swapAxes', a, x.rank), resolveAxis('swapAxes', b, x.rank)]
  order[i] = j
  order[j] = i
  return transpose(x, order)
}

/**
 * Repeats x along axes of extent 1 and new leading axes, up to `shape`.
 * @throws RangeError when x does not broadcast to exactly that shape.
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  const lead = shape.length - x.rank
  if (lead < 0 || x.shape.some((extent, axis) => extent !== 1 && extent !== shape[axis + lead])) {
    throw new RangeError(
      `broadcastTo: x has shape ${formatShape(x.shape)} which does not broadcast to ${formatShape(shape)}`,
    )
  }
  if (sameShape(x.shape, shape)) return x
  const output = stridedCopy(x, shape, 0, broadcastStrides(x.shape, shape))
  const from = x.shape
  record({ name: 'broadcastTo', inputs: [x], outputs: [output], saved: [], backward: ([g]) => [sumTo(g, from)] })
  return output
}

/** Inserts an axis of extent 1 so that it becomes axis `axis` of the result. */
export function expandAxis(x: Tensor, axis: number): Tensor {
  const at = resolveAxis('expandAxis', axis, x.rank + 1)
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)])
}

/**
 * Removes an axis of extent 1.
 * @throws RangeError when its extent is another.
 */
export function squeeze(x: Tensor, axis: number): Tensor {
  const at = resolveAxis('squeeze', axis, x.rank)
  if (x.shape[at] !== 1) throw new RangeError(`squeeze: axis ${axis} of ${formatShape(x.shape)} must have extent 1`)
  return reshape(x, x.shape.toSpliced(at, 1))
}

/** Internal: a contiguous tensor of `shape` read from x at `offset` with element strides. */
export function stridedCopy(x: Tensor, shape: Shape, offset: number, strides: readonly number[]): Tensor {
  const { buffer, executor, dtype, range } = x
  const output = emptyTensor(executor, dtype, shape, range)
  executor.run('copy', [buffer], [output.buffer], {
    shape,
    inputOffset: offset,
    inputStrides: strides,
    outputOffset: 0,
    outputStrides: stridesOf(shape),
  })
  return output
}

function inferExtent(x: Tensor, shape: Shape): Shape {
  const free = shape.indexOf(-1)
  if (free === -1) return shape
  const rest = sizeOf(shape.toSpliced(free, 1))
  if (rest <= 0 || x.size % rest !== 0) {
    throw new RangeError(
      `reshape: x has shape ${formatShape(x.shape)} but ${formatShape(shape)} leaves no whole extent for −1`,
    )
  }
  return shape.with(free, x.size / rest)
}
