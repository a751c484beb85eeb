import type { CoreKernels } from '../../executor.ts'
import type { FunctionBuilder, Integer, Vector } from './assembler.ts'
import type { Modules } from './modules.ts'
import { exp, log1p } from './vector-math.ts'

/**
 * Sums and extrema of the middle axis, for any inner extent that is a multiple of four. Sums are carried in float64, two
 * vectors of two for each four columns, and rounded once.
 */
export function runColumnReduce(
  modules: Modules,
  { reduction, outer, length, inner }: CoreKernels['reduce'] & { readonly reduction: 'sum' | 'max' | 'min' },
  input: number,
  output: number,
): void {
  const kernel = modules.get(`reduce columns ${reduction}`, 5, (f) => writeColumnReduce(f, reduction))
  for (let o = 0; o < outer; o++)
    kernel(input + o * length * inner * 4, output + o * inner * 4, length, inner / 4, inner * 4)
}

/** Sums, extrema and logSumExp of rows of at least one element. */
export function runRowReduce(
  modules: Modules,
  { reduction, outer, length }: CoreKernels['reduce'] & { readonly reduction: 'sum' | 'max' | 'min' },
  input: number,
  output: number,
): void {
  const kernel = modules.get(`reduce rows ${reduction}`, 6, (f) => writeRowReduce(f, reduction))
  kernel(outer, input, output, Math.floor(length / 4), length % 4, length * 4)
}

/** Softmax of rows whose length is a multiple of four, or its logarithm. */
export function runSoftmax(
  modules: Modules,
  { rows, length, log: logarithm }: CoreKernels['softmax'],
  input: number,
  output: number,
): void {
  const kernel = modules.get(`softmax ${logarithm}`, 4, (f) => writeSoftmax(f, logarithm))
  kernel(rows, input, output, length / 4)
}

/** run(input, output, length, vectors, rowBytes): each vector of columns from top to bottom. */
function writeColumnReduce(f: FunctionBuilder, reduction: 'sum' | 'max' | 'min'): void {
  const [input, output, length, vectors, rowBytes] = f.parameters
  f.repeat(vectors, () => {
    const from = f.copy(input)
    const total = start(f, reduction)
    f.repeat(length, () => {
      accumulate(f, reduction, total, f.load(from))
      f.increment(from, rowBytes)
    })
    f.store(output, finish(f, reduction, total))
    f.increment(input, 16)
    f.increment(output, 16)
  })
}

/** run(rows, input, output, vectors, rest, rowBytes): whole vectors, then single elements into lane 0. */
function writeRowReduce(f: FunctionBuilder, reduction: 'sum' | 'max' | 'min'): void {
  const [rows, input, output, vectors, rest, rowBytes] = f.parameters
  f.repeat(rows, () => {
    const from = f.copy(input)
    const total = start(f, reduction)
    f.repeat(vectors, () => {
      accumulate(f, reduction, total, f.load(from))
      f.increment(from, 16)
    })
    f.repeat(rest, () => {
      accumulate(f, reduction, total, f.loadLane(f.constant(neutral[reduction]), from, 0))
      f.increment(from, 4)
    })
    f.storeLane(output, across(f, reduction, total))
    f.increment(input, rowBytes)
    f.increment(output, 4)
  })
}

/** run(rows, input, output, vectors). */
function writeSoftmax(f: FunctionBuilder, logarithm: boolean): void {
  const [rows, input, output, vectors] = f.parameters
  f.repeat(rows, () => {
    const [most] = overRow(f, ['max'], vectors, input, (x) => [x])
    if (logarithm) writeLogSoftmaxRow(f, most, vectors, input, output)
    else writeSoftmaxRow(f, most, vectors, input, output)
    const walked = f.copy(vectors)
    f.repeat(walked, () => f.increment(input, 16))
  })
}

function writeSoftmaxRow(f: FunctionBuilder, most: Vector, vectors: Integer, input: Integer, output: Integer): void {
  const to = f.copy(output)
  const [total] = overRow(f, ['sum'], vectors, input, (x) => {
    const weight = exp(f, f.binary('sub', x, most))
    f.store(to, weight)
    f.increment(to, 16)
    return [weight]
  })
  const scale = f.binary('div', f.constant(1), total)
  f.repeat(vectors, () => {
    f.store(output, f.binary('mul', f.load(output), scale))
    f.increment(output, 16)
  })
}

/**
 * (x − max) − log1p(Σ e^(x − max) − 1), where the sum leaves out one maximum instead of subtracting 1: near the maximum
 * the result is close to 0, and all its digits are in what the others add.
 */
function writeLogSoftmaxRow(f: FunctionBuilder, most: Vector, vectors: Integer, input: Integer, output: Integer): void {
  const zero = f.constant(0)
  const [below, atMost] = overRow(f, ['sum', 'sum'], vectors, input, (x) => {
    const weight = exp(f, f.binary('sub', x, most))
    const isMost = f.binary('equal', x, most)
    return [f.select(isMost, zero, weight), f.select(isMost, weight, zero)]
  })
  const rest = f.binary('add', below, f.binary('sub', atMost, f.constant(1)))
  const logarithm = log1p(f, rest)
  const from = f.copy(input)
  f.repeat(vectors, () => {
    f.store(output, f.binary('sub', f.binary('sub', f.load(from), most), logarithm))
    f.increment(from, 16)
    f.increment(output, 16)
  })
}

/** One pass over a row: reductions of what `values` makes of each vector, each in every lane. */
function overRow(
  f: FunctionBuilder,
  reductions: readonly ('sum' | 'max')[],
  vectors: Integer,
  row: Integer,
  values: (x: Vector) => readonly Vector[],
): Vector[] {
  const from = f.copy(row)
  const totals = reductions.map((reduction) => start(f, reduction))
  f.repeat(vectors, () => {
    values(f.load(from)).forEach((value, i) => {
      accumulate(f, reductions[i], totals[i], value)
    })
    f.increment(from, 16)
  })
  return totals.map((total, i) => across(f, reductions[i], total))
}

const neutral = { sum: 0, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY } as const

/** A running result: one vector of floats, or two of doubles. */
type Running = readonly Vector[]

function start(f: FunctionBuilder, reduction: 'sum' | 'max' | 'min'): Running {
  const first = f.constant(neutral[reduction])
  return reduction === 'sum' ? [f.variable(first), f.variable(first)] : [f.variable(first)]
}

function accumulate(f: FunctionBuilder, reduction: 'sum' | 'max' | 'min', total: Running, x: Vector): void {
  if (reduction !== 'sum') {
    f.assign(total[0], f.binary(reduction, total[0], x))
    return
  }
  const high = f.shuffle(x, x, [2, 3, 2, 3])
  f.assign(total[0], f.binary('addDouble', total[0], f.unary('promoteLow', x)))
  f.assign(total[1], f.binary('addDouble', total[1], f.unary('promoteLow', high)))
}

/** The running result as four floats. */
function finish(f: FunctionBuilder, reduction: 'sum' | 'max' | 'min', total: Running): Vector {
  if (reduction !== 'sum') return total[0]
  return f.shuffle(f.unary('demoteZero', total[0]), f.unary('demoteZero', total[1]), [0, 1, 4, 5])
}

/** The four lanes of the running result reduced to one, in every lane. */
function across(f: FunctionBuilder, reduction: 'sum' | 'max' | 'min', total: Running): Vector {
  if (reduction === 'sum') {
    const pair = f.binary('addDouble', total[0], total[1])
    const single = f.unary('demoteZero', f.binary('addDouble', pair, f.shuffle(pair, pair, [2, 3, 0, 1])))
    return f.shuffle(single, single, [0, 0, 0, 0])
  }
  const pair = f.binary(reduction, total[0], f.shuffle(total[0], total[0], [2, 3, 0, 1]))
  return f.binary(reduction, pair, f.shuffle(pair, pair, [1, 0, 3, 2]))
}
