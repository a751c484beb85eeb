import { axisView, formatShape, resolveAxis, type Shape, sizeOf } from '../shape.ts'
import { record } from '../tape.ts'
import { emptyTensor, type Tensor } from '../tensor.ts'
import { div, mul, square, sub } from './arithmetic.ts'
import { equal, where } from './comparison.ts'
import { checkOperands } from './elementwise.ts'
import { exp } from './exponential.ts'
import { broadcastTo, reshape } from './layout.ts'

export interface ReduceOptions {
  /** Axes to reduce; negative ones count from the end. Default: all. */
  readonly axes?: number | readonly number[]
  /** Keep reduced axes with extent 1. Default false. */
  readonly keepAxes?: boolean
}

/** Σ over axes; 0 over nothing. */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  const { axes, kept, shape } = resolve('sum', x, options)
  const output = reduceAxes(x, 'sum', axes, shape)
  const backward = ([g]: readonly Tensor[]) => [broadcastTo(reshape(g, kept), x.shape)]
  record({ name: 'sum', inputs: [x], outputs: [output], saved: [], backward })
  return output
}

/** Mean over axes; NaN over nothing. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  const { axes } = resolve('mean', x, options)
  return mul(sum(x, options), 1 / countOf(x, axes))
}

export interface VarianceOptions extends ReduceOptions {
  /** Subtracted from the count: 0 for the population (default), 1 for the unbiased estimate. */
  readonly correction?: number
}

/** Mean squared deviation from the mean. */
export function variance(x: Tensor, options: VarianceOptions = {}): Tensor {
  const { axes } = resolve('variance', x, options)
  const deviation = sub(x, mean(x, { axes, keepAxes: true }))
  return mul(sum(square(deviation), options), 1 / (countOf(x, axes) - (options.correction ?? 0)))
}

/** Largest element; −∞ over nothing, NaN if there is one. Elements that tie share the gradient. */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  return extremum('max', x, options)
}

/** Smallest element; ∞ over nothing, NaN if there is one. Elements that tie share the gradient. */
export function min(x: Tensor, options: ReduceOptions = {}): Tensor {
  return extremum('min', x, options)
}

/** log Σ eˣ without overflow; −∞ over nothing and over −∞ alone, with gradient 0 there. */
export function logSumExp(x: Tensor, options: ReduceOptions = {}): Tensor {
  const { axes, kept, shape } = resolve('logSumExp', x, options)
  const output = reduceAxes(x, 'logSumExp', axes, shape)
  const backward = ([g]: readonly Tensor[]) => {
    const y = reshape(output, kept)
    const share = where(equal(y, Number.NEGATIVE_INFINITY), 0, exp(sub(x, y)))
    return [mul(share, reshape(g, kept))]
  }
  record({ name: 'logSumExp', inputs: [x], outputs: [output], saved: [x, output], backward })
  return output
}

/**
 * Index of the largest element along an axis, `int32`; of the first at ties, of the first NaN if there is one.
 * @throws RangeError when the axis is empty.
 */
export function argMax(x: Tensor, options: { readonly axis: number; readonly keepAxis?: boolean }): Tensor {
  checkOperands('argMax', [x])
  const axis = resolveAxis('argMax', options.axis, x.rank)
  if (x.shape[axis] === 0)
    throw new RangeError(`argMax: axis ${axis} of ${formatShape(x.shape)} is empty but must not be`)
  const shape = options.keepAxis ? x.shape.with(axis, 1) : x.shape.toSpliced(axis, 1)
  const { buffer, executor } = x
  const output = emptyTensor(executor, 'int32', shape, [0, x.shape[axis] - 1])
  executor.run('reduce', [buffer], [output.buffer], { reduction: 'argMax', ...axisView(x.shape, axis) })
  return output
}

function extremum(name: 'max' | 'min', x: Tensor, options: ReduceOptions): Tensor {
  const { axes, kept, shape } = resolve(name, x, options)
  const output = reduceAxes(x, name, axes, shape)
  const backward = ([g]: readonly Tensor[]) => {
    const hit = equal(x, reshape(output, kept))
    return [mul(hit, div(reshape(g, kept), sum(hit, { axes, keepAxes: true })))]
  }
  record({ name, inputs: [x], outputs: [output], saved: [x, output], backward })
  return output
}

interface Resolved {
  readonly axes: readonly number[]
  /** The result's shape with reduced axes kept, and as asked for. */
  readonly kept: Shape
  readonly shape: Shape
}

function resolve(op: string, x: Tensor, { axes, keepAxes }: ReduceOptions): Resolved {
  checkOperands(op, [x])
  const all = x.shape.map((_, axis) => axis)
  const chosen = axes === undefined ? all : [axes].flat().map((axis) => resolveAxis(op, axis, x.rank))
  if (new Set(chosen).size !== chosen.length)
    throw new RangeError(`${op}: axes are [${chosen.join(', ')}] but must differ`)
  const kept = x.shape.map((extent, axis) => (chosen.includes(axis) ? 1 : extent))
  const shape = keepAxes ? kept : x.shape.filter((_, axis) => !chosen.includes(axis))
  return { axes: chosen.toSorted((a, b) => a - b), kept, shape }
}

/** Runs of neighbouring axes are reduced as one, the last run first. */
function reduceAxes(
  x: Tensor,
  reduction: 'sum' | 'max' | 'min' | 'logSumExp',
  axes: readonly number[],
  shape: Shape,
): Tensor {
  const { executor, dtype } = x
  let current = { buffer: x.buffer, shape: x.shape }
  let output: Tensor | undefined
  const runs = neighbours(axes)
  for (const [first, last] of runs.length === 0 ? [[x.rank, x.rank - 1] as const] : runs.toReversed()) {
    const view = {
      outer: sizeOf(current.shape.slice(0, first)),
      length: sizeOf(current.shape.slice(first, last + 1)),
      inner: sizeOf(current.shape.slice(last + 1)),
    }
    const remaining = current.shape.toSpliced(first, last + 1 - first)
    output = emptyTensor(executor, dtype, first === runs[0]?.[0] || runs.length === 0 ? shape : remaining)
    executor.run('reduce', [current.buffer], [output.buffer], { reduction, ...view })
    current = { buffer: output.buffer, shape: remaining }
  }
  if (output === undefined) throw new Error('reduce: no pass was made')
  return output
}

function neighbours(axes: readonly number[]): (readonly [number, number])[] {
  const runs: (readonly [number, number])[] = []
  for (const axis of axes) {
    const run = runs.at(-1)
    if (run !== undefined && run[1] === axis - 1) runs[runs.length - 1] = [run[0], axis]
    else runs.push([axis, axis])
  }
  return runs
}

function countOf(x: Tensor, axes: readonly number[]): number {
  return axes.reduce((count, axis) => count * x.shape[axis], 1)
}
