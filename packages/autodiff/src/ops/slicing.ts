import { constant } from '../expression.ts'
import { formatShape, resolveAxis, type Shape, sizeOf, stridesOf } from '../shape.ts'
import { record } from '../tape.ts'
import { emptyTensor, type Tensor } from '../tensor.ts'
import { broadcastTo, expandAxis, reshape, stridedCopy } from './layout.ts'

export interface SliceOptions {
  readonly axis: number
  /** First index. Default 0. */
  readonly start?: number
  /** Index after the last. Default: the extent. */
  readonly end?: number
  /** Default 1. */
  readonly step?: number
}

/**
 * Part of an axis: indices start, start + step, … before end.
 * @throws RangeError unless 0 ≤ start ≤ end ≤ extent and step is a positive integer.
 */
export function slice(x: Tensor, options: SliceOptions): Tensor {
  const axis = resolveAxis('slice', options.axis, x.rank)
  const { start = 0, end = x.shape[axis], step = 1 } = options
  if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= x.shape[axis])) {
    throw new RangeError(
      `slice: [${start}, ${end}) must lie within [0, ${x.shape[axis]}) on axis ${axis} of ${formatShape(x.shape)}`,
    )
  }
  if (!Number.isInteger(step) || step < 1) throw new RangeError(`slice: step is ${step} but must be a positive integer`)
  if (start === 0 && end === x.shape[axis] && step === 1) return x
  const strides = stridesOf(x.shape)
  const shape = x.shape.with(axis, Math.ceil((end - start) / step))
  const output = stridedCopy(x, shape, start * strides[axis], strides.with(axis, strides[axis] * step))
  const from = x.shape
  const backward = ([g]: readonly Tensor[]) => [place(g, from, axis, start, step, 0)]
  record({ name: 'slice', inputs: [x], outputs: [output], saved: [], backward })
  return output
}

/**
 * Cuts an axis in pieces: of the given sizes, or all of one size.
 * @throws RangeError when a size is negative or no integer, or they do not add up to the extent.
 */
export function split(
  x: Tensor,
  options: { readonly axis: number; readonly sizes: number | readonly number[] },
): Tensor[] {
  const axis = resolveAxis('split', options.axis, x.rank)
  const extent = x.shape[axis]
  const { sizes } = options
  const given = [sizes].flat()
  const least = typeof sizes === 'number' ? 1 : 0
  if (!given.every((size) => Number.isInteger(size) && size >= least)) {
    throw new RangeError(`split: sizes are ${sizes} but must be integers of at least ${least}`)
  }
  const list = typeof sizes === 'number' ? new Array<number>(Math.floor(extent / sizes)).fill(sizes) : given
  if (list.reduce((total, size) => total + size, 0) !== extent) {
    throw new RangeError(
      `split: sizes are ${sizes} but must add up to ${extent}, axis ${axis} of ${formatShape(x.shape)}`,
    )
  }
  if (list.length === 1) return [x]
  const strides = stridesOf(x.shape)
  let start = 0
  const pieces = list.map((size) => {
    start += size
    return stridedCopy(x, x.shape.with(axis, size), (start - size) * strides[axis], strides)
  })
  const backward = (gradients: readonly Tensor[]) => [concat(gradients, { axis })]
  record({ name: 'split', inputs: [x], outputs: pieces, saved: [], backward })
  return pieces
}

/**
 * Tensors one after another along an axis.
 * @throws RangeError when they differ in another axis; TypeError when in dtype or executor.
 */
export function concat(tensors: readonly Tensor[], options: { readonly axis: number }): Tensor {
  const [first] = tensors
  if (first === undefined) throw new RangeError('concat: tensors is empty but must hold at least one tensor')
  const axis = resolveAxis('concat', options.axis, first.rank)
  for (const tensor of tensors) {
    if (
      tensor.rank !== first.rank ||
      tensor.shape.some((extent, other) => other !== axis && extent !== first.shape[other])
    ) {
      throw new RangeError(
        `concat: shapes ${formatShape(first.shape)} and ${formatShape(tensor.shape)} may differ on axis ${axis} only`,
      )
    }
    if (tensor.dtype !== first.dtype || tensor.executor !== first.executor) {
      throw new TypeError(`concat: ${first} and ${tensor} must have one dtype and be on one executor`)
    }
  }
  if (tensors.length === 1) return first
  const buffers = tensors.map((tensor) => tensor.buffer)
  const shape = first.shape.with(
    axis,
    tensors.reduce((total, tensor) => total + tensor.shape[axis], 0),
  )
  const output = emptyTensor(first.executor, first.dtype, shape, unionOfRanges(tensors))
  const outputStrides = stridesOf(shape)
  const starts: number[] = []
  let start = 0
  tensors.forEach((tensor, index) => {
    starts.push(start)
    const outputOffset = start * outputStrides[axis]
    const inputStrides = stridesOf(tensor.shape)
    const copied = { shape: tensor.shape, inputOffset: 0, inputStrides, outputOffset, outputStrides }
    first.executor.run('copy', [buffers[index]], [output.buffer], copied)
    start += tensor.shape[axis]
  })
  const extents = tensors.map((tensor) => tensor.shape[axis])
  const backward = ([g]: readonly Tensor[], needs: readonly boolean[]) =>
    starts.map((from, index) =>
      needs[index] ? slice(g, { axis, start: from, end: from + extents[index] }) : undefined,
    )
  record({ name: 'concat', inputs: tensors, outputs: [output], saved: [], backward })
  return output
}

/** Tensors of one shape along a new axis. */
export function stack(tensors: readonly Tensor[], options: { readonly axis: number }): Tensor {
  return concat(
    tensors.map((tensor) => expandAxis(tensor, options.axis)),
    options,
  )
}

export interface PadOptions {
  readonly axis: number
  /** Elements to add in front and behind. Default 0. */
  readonly before?: number
  readonly after?: number
  /** Default 0. */
  readonly value?: number
}

/** Adds constant elements at the ends of an axis. @throws RangeError when a count is not a non-negative integer. */
export function pad(x: Tensor, options: PadOptions): Tensor {
  const axis = resolveAxis('pad', options.axis, x.rank)
  const { before = 0, after = 0, value = 0 } = options
  for (const [name, count] of [
    ['before', before],
    ['after', after],
  ] as const) {
    if (!Number.isInteger(count) || count < 0)
      throw new RangeError(`pad: ${name} is ${count} but must be a non-negative integer`)
  }
  if (before === 0 && after === 0) return x
  return place(x, x.shape.with(axis, x.shape[axis] + before + after), axis, before, 1, value)
}

/** Reverses axes. */
export function flip(x: Tensor, options: { readonly axes: number | readonly number[] }): Tensor {
  const axes = [options.axes].flat().map((axis) => resolveAxis('flip', axis, x.rank))
  const strides = stridesOf(x.shape)
  const offset = axes.reduce((total, axis) => total + Math.max(0, x.shape[axis] - 1) * strides[axis], 0)
  const reversed = strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride))
  const output = stridedCopy(x, x.shape, offset, reversed)
  record({ name: 'flip', inputs: [x], outputs: [output], saved: [], backward: ([g]) => [flip(g, { axes })] })
  return output
}

/** Every element of an axis `count` times in a row, as NumPy's `repeat`. */
export function repeat(x: Tensor, options: { readonly axis: number; readonly count: number }): Tensor {
  const axis = resolveAxis('repeat', options.axis, x.rank)
  const { count } = options
  if (!Number.isInteger(count) || count < 0)
    throw new RangeError(`repeat: count is ${count} but must be a non-negative integer`)
  const wide = expandAxis(x, axis + 1)
  return reshape(broadcastTo(wide, wide.shape.with(axis + 1, count)), x.shape.with(axis, x.shape[axis] * count))
}

/** x at start, start + step, … of an axis of a larger tensor filled with `value`. */
function place(x: Tensor, shape: Shape, axis: number, start: number, step: number, value: number): Tensor {
  const { buffer, executor } = x
  const output = filled(x, shape, value)
  const outputStrides = stridesOf(shape)
  executor.run('copy', [buffer], [output.buffer], {
    shape: x.shape,
    inputOffset: 0,
    inputStrides: stridesOf(x.shape),
    outputOffset: start * outputStrides[axis],
    outputStrides: outputStrides.with(axis, outputStrides[axis] * step),
  })
  const end = Math.min(shape[axis], start + x.shape[axis] * step)
  const backward = ([g]: readonly Tensor[]) => [slice(g, { axis, start, end, step })]
  record({ name: 'pad', inputs: [x], outputs: [output], saved: [], backward })
  return output
}

/** A tensor like x, of another shape, full of one value. */
function filled({ executor, dtype, range }: Tensor, shape: Shape, value: number): Tensor {
  if (dtype !== 'int32') {
    const output = emptyTensor(executor, dtype, shape)
    executor.run('map', [], [output.buffer], { expression: constant(value), shape, strides: [] })
    return output
  }
  const bounds: [number, number] =
    range === undefined ? [value, value] : [Math.min(value, range[0]), Math.max(value, range[1])]
  const output = emptyTensor(executor, dtype, shape, bounds)
  executor.write(output.buffer, new Int32Array(sizeOf(shape)).fill(value))
  return output
}

function unionOfRanges(tensors: readonly Tensor[]): readonly [number, number] | undefined {
  const ranges = tensors.flatMap((tensor) => (tensor.range === undefined ? [] : [tensor.range]))
  if (ranges.length === 0) return undefined
  return [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))]
}
