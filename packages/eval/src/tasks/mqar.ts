import type { Generator } from '@mixtape/autodiff'
import { checkCount } from './check.ts'
import { batchStream } from './stream.ts'
import { type Batch, IGNORED, type Split, type Task } from './task.ts'

export interface MqarConfig {
  /** V, even: token 0 is the filler, keys come from [1, V/2), values from [V/2, V). */
  readonly vocabulary: number
  /** T, even. */
  readonly length: number
  /** n: key-value pairs per sequence. */
  readonly pairs: number
  /** r: how often the list of pairs is read before the queries. Default 1. */
  readonly passes?: number
  /** u: how many keys get a new value after the list ("forgetting" MQAR). Default 0. */
  readonly updates?: number
  /** a: slot g is asked with weight ∝ a·(g + 1)^(a − 1). Small values ask early. Default 0.01. */
  readonly exponent?: number
  /** What stands where neither a pair nor a query does: token 0, or any token at random. Default `zero`. */
  readonly fillers?: 'zero' | 'random'
  readonly batchSize: number
  /** Sequences in each of the validation and test sets. Default 1024. */
  readonly evaluationSequences?: number
  /** Training batches before they repeat. Default: they never do. */
  readonly trainingBatches?: number
}

/**
 * Multi-query associative recall ("Zoology", arXiv 2312.04927): a list of key-value pairs, then queries; while reading a
 * key again the model predicts its value. With `updates`, the answer is the last value the key was given.
 * Place slice `gap`: how many places before the query the key stands that was read with the answer.
 *
 * @throws RangeError when the sizes do not fit each other
 */
export function mqar(config: MqarConfig): Task {
  const settled = settle(config)
  const { vocabulary, length, batchSize, evaluationSequences } = settled
  const id = mqarId(settled)
  return {
    id,
    vocabulary,
    length,
    batchSize,
    metric: 'accuracy',
    trainingBatch: (seed, index) => mqarBatch(id, settled, batchSize, 'train', seed, index % settled.trainingBatches),
    *evaluationBatches(split, seed) {
      for (let done = 0; done < evaluationSequences; done += batchSize) {
        const size = Math.min(batchSize, evaluationSequences - done)
        yield mqarBatch(id, settled, size, split, seed, done / batchSize)
      }
    },
  }
}

/** c: tokens that bind keys to values, before the first query. */
export function bindingLength({ pairs, passes = 1, updates = 0 }: MqarConfig): number {
  return 2 * (pairs * passes + updates)
}

function mqarBatch(id: string, config: Settled, batchSize: number, split: Split, seed: number, index: number): Batch {
  const random = batchStream(id, split, seed, index)
  const { length } = config
  const x = new Int32Array(batchSize * length)
  const y = new Int32Array(batchSize * length).fill(IGNORED)
  const gap = new Int32Array(batchSize * length)
  for (let row = 0; row < batchSize; row++) {
    const places = [row * length, (row + 1) * length] as const
    writeSequence(config, random, x.subarray(...places), y.subarray(...places), gap.subarray(...places))
  }
  return { batchSize, length, x, y, slices: { pairs: config.pairs, updates: config.updates }, placeSlices: { gap } }
}

function writeSequence(config: Settled, random: Generator, x: Int32Array, y: Int32Array, gap: Int32Array): void {
  const { vocabulary, pairs, passes, updates, fillers } = config
  const half = vocabulary / 2
  if (fillers === 'random') for (let t = 0; t < x.length; t++) x[t] = random.integer(vocabulary)

  const keys = sampleDistinct(random, pairs, 1, half)
  const values = sampleDistinct(random, pairs, half, vocabulary)
  const boundAt = new Int32Array(pairs) // place of the key in the binding that counts
  let place = 0
  const bind = (j: number): void => {
    boundAt[j] = place
    x[place++] = keys[j]
    x[place++] = values[j]
  }
  for (let pass = 0; pass < passes; pass++) for (let j = 0; j < pairs; j++) bind(j)
  for (const j of sampleDistinct(random, updates, 0, pairs)) {
    const other = half + random.integer(half - 1)
    values[j] = other < values[j] ? other : other + 1
    bind(j)
  }

  const context = place
  const slots = sampleSlots(random, pairs, (x.length - context) / 2, config.exponent)
  for (let j = 0; j < pairs; j++) {
    const query = context + 2 * slots[j]
    x[query] = keys[j]
    y[query] = values[j]
    gap[query] = query - boundAt[j]
  }
}

/** `count` distinct integers of [from, to) in random order: a partial Fisher–Yates shuffle. */
function sampleDistinct(random: Generator, count: number, from: number, to: number): Int32Array {
  const pool = Int32Array.from({ length: to - from }, (_, i) => from + i)
  for (let i = 0; i < count; i++) {
    const other = i + random.integer(pool.length - i)
    const taken = pool[other]
    pool[other] = pool[i]
    pool[i] = taken
  }
  return pool.subarray(0, count)
}

/**
 * `count` distinct slots of [0, slots), as if drawn one after another with renormalised power-law weights: the largest
 * of log weight + Gumbel noise, in order.
 */
function sampleSlots(random: Generator, count: number, slots: number, exponent: number): Uint32Array {
  const scores = Float64Array.from({ length: slots }, (_, g) => {
    const gumbel = -Math.log(-Math.log(1 - random.uniform()))
    return (exponent - 1) * Math.log(g + 1) + gumbel
  })
  const order = Uint32Array.from({ length: slots }, (_, g) => g).sort((g, h) => scores[h] - scores[g])
  return order.subarray(0, count)
}

type Settled = Readonly<Required<MqarConfig>>

function settle(config: MqarConfig): Settled {
  const settled: Settled = {
    ...config,
    passes: config.passes ?? 1,
    updates: config.updates ?? 0,
    exponent: config.exponent ?? 0.01,
    fillers: config.fillers ?? 'zero',
    evaluationSequences: config.evaluationSequences ?? 1024,
    trainingBatches: config.trainingBatches ?? Number.MAX_SAFE_INTEGER,
  }
  const { vocabulary, length, pairs, updates, exponent, fillers } = settled
  const counts = ['pairs', 'passes', 'batchSize', 'evaluationSequences', 'trainingBatches'] as const
  for (const name of counts) checkCount('mqar', name, settled[name], 1)
  checkCount('mqar', 'updates', updates, 0)
  checkEven('vocabulary', vocabulary)
  checkEven('length', length)
  if (vocabulary <= length) {
    throw new RangeError(`mqar: vocabulary is ${vocabulary} but must be greater than length (${length})`)
  }
  if (updates > pairs) throw new RangeError(`mqar: updates is ${updates} but must be at most pairs (${pairs})`)
  const needed = bindingLength(settled) + 2 * pairs
  if (needed > length) {
    throw new RangeError(
      `mqar: length is ${length} but must be at least ${needed} = 2·(pairs·passes + updates) + 2·pairs for ${pairs} pairs`,
    )
  }
  if (!(exponent > 0 && Number.isFinite(exponent))) {
    throw new RangeError(`mqar: exponent is ${exponent} but must be a finite number greater than 0`)
  }
  if (fillers !== 'zero' && fillers !== 'random') {
    throw new RangeError(`mqar: fillers is ${String(fillers)} but must be zero or random`)
  }
  return settled
}

function checkEven(name: string, value: number): void {
  checkCount('mqar', name, value, 2)
  if (value % 2 !== 0) throw new RangeError(`mqar: ${name} is ${value} but must be even`)
}

function mqarId({ vocabulary, length, pairs, passes, updates, exponent, fillers }: Settled): string {
  const extras = [
    passes === 1 ? '' : `-r${passes}`,
    updates === 0 ? '' : `-u${updates}`,
    exponent === 0.01 ? '' : `-a${exponent}`,
    fillers === 'zero' ? '' : '-random',
  ]
  return `mqar-v${vocabulary}-t${length}-n${pairs}${extras.join('')}`
}
