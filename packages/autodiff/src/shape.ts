/** Extents of a tensor, outermost axis first. `[]` is a scalar; an extent of 0 makes the tensor empty. */
export type Shape = readonly number[]

/** Number of elements of a tensor of this shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((size, extent) => size * extent, 1)
}

/** Row-major element strides of a contiguous tensor. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  for (let axis = shape.length - 1, stride = 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis]
  }
  return strides
}

/** `[2, 3]`, as error messages print shapes. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`
}

/** Whether two shapes have the same axes. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis])
}

/**
 * The shape NumPy broadcasting gives two operands.
 * @throws RangeError naming `op` when an axis has two different extents, neither of them 1.
 */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  const shape = new Array<number>(rank)
  for (let axis = 0; axis < rank; axis++) {
    const extentA = a[axis - rank + a.length] ?? 1
    const extentB = b[axis - rank + b.length] ?? 1
    if (extentA !== extentB && extentA !== 1 && extentB !== 1) {
      throw new RangeError(
        `${op}: shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast; axis ${axis} is ${extentA} and ${extentB}`,
      )
    }
    shape[axis] = extentA === 1 ? extentB : extentA
  }
  return shape
}

/** Element strides that read a contiguous tensor of shape `from` as if it had shape `to` (0 on broadcast axes). */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = stridesOf(from)
  const lead = to.length - from.length
  return to.map((_, axis) => (axis < lead || from[axis - lead] === 1 ? 0 : strides[axis - lead]))
}

/**
 * A non-negative axis from one that may count from the end.
 * @throws RangeError when it lies outside [-rank, rank).
 */
export function resolveAxis(op: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new RangeError(`${op}: axis is ${axis} but must be an integer in [${-rank}, ${rank}) for rank ${rank}`)
  }
  return axis < 0 ? axis + rank : axis
}

/**
 * A shape checked for use: non-negative safe integers whose product is one too.
 * @throws RangeError naming `op` otherwise.
 */
export function checkShape(op: string, shape: Shape): Shape {
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
    throw new RangeError(`${op}: shape is ${formatShape(shape)} but extents must be non-negative integers`)
  }
  if (!Number.isSafeInteger(sizeOf(shape))) {
    throw new RangeError(`${op}: shape ${formatShape(shape)} has too many elements to address`)
  }
  return shape
}

/** A shape seen from one axis: `[outer, length, inner]` with `length` that axis. */
export interface AxisView {
  readonly outer: number
  readonly length: number
  readonly inner: number
}

/** Splits a shape at `axis` (already resolved). */
export function axisView(shape: Shape, axis: number): AxisView {
  return { outer: sizeOf(shape.slice(0, axis)), length: shape[axis], inner: sizeOf(shape.slice(axis + 1)) }
}
