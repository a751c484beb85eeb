import { argMax, crossEntropy, free, scope, type Tensor, tensorsIn } from '@mixtape/autodiff'
import type { LanguageModel, LayerState } from '@mixtape/nn'
import { type AccuracyCounts, type Count, countCorrect } from '../tasks/accuracy.ts'
import { bitsPerByte } from '../tasks/bits-per-byte.ts'
import { type MqarConfig, mqar } from '../tasks/mqar.ts'
import { type Batch, IGNORED, type Task } from '../tasks/task.ts'
import { breathe } from './breathe.ts'
import type { LoadedTask } from './loaded-task.ts'
import { tokenBatch } from './model.ts'

/** Bits per byte on the test text. */
export interface TextResult {
  readonly task: 'text'
  /** The state begins anew with every window. */
  readonly cold: number
  /** The state is carried from window to window: only for mixers whose state does not grow. */
  readonly warm?: number
}

/** Right answers of a test set, whole and cut up. */
export interface MqarResult {
  readonly task: 'mqar'
  readonly whole: Count
  /** By the distance between a pair and its query, at the length and pairs of the training. */
  readonly byGap: readonly CountAt[]
  /** By sequence length, at the pairs of the training. */
  readonly byLength: readonly CountAt[]
  /** By number of pairs, at the length of the training. */
  readonly byPairs: readonly CountAt[]
}

/** The count at one value of what was varied. */
export interface CountAt extends Count {
  readonly at: number
}

export type TestResult = TextResult | MqarResult

export interface EvaluateOptions {
  readonly seed: number
  /** Whether the state stays as large however long the sequence. */
  readonly fixedState: boolean
  readonly signal?: AbortSignal
  /** Called after every batch. */
  readonly onBatch?: () => void
}

/** Batches of the validation split that are looked at during training. */
const VALIDATION_BATCHES = 8

/** The number that a test result is compared by: bits per byte (cold), or accuracy. */
export function scoreOf(result: TestResult): number {
  return result.task === 'text' ? result.cold : shareOf(result.whole)
}

export function shareOf({ correct, total }: Count): number {
  return correct / total
}

/** The task's metric on the beginning of the validation split. */
export async function validate(
  model: LanguageModel,
  { task }: LoadedTask,
  options: Omit<EvaluateOptions, 'fixedState'>,
): Promise<number> {
  const batches = [...firstOf(task.evaluationBatches('valid', options.seed), VALIDATION_BATCHES)]
  if (task.metric === 'bitsPerByte') return bitsPerByteOf(model, batches, options)
  return shareOf(await accuracyOf(model, batches, options))
}

/** The task's metric on the test split. @throws Stopped when the signal says so */
export async function evaluateTest(
  model: LanguageModel,
  loaded: LoadedTask,
  options: EvaluateOptions,
): Promise<TestResult> {
  if (loaded.name === 'mqar') return mqarResult(model, loaded.task, loaded.config, options)
  const { task } = loaded
  const cold = await bitsPerByteOf(model, task.evaluationBatches('test', options.seed), options)
  if (!options.fixedState) return { task: 'text', cold }
  const warm = await warmBitsPerByteOf(model, task.warmBatches('test', task.batchSize), options)
  return { task: 'text', cold, warm }
}

async function mqarResult(
  model: LanguageModel,
  task: Task,
  config: MqarConfig,
  options: EvaluateOptions,
): Promise<MqarResult> {
  const { by, ...whole } = await accuracyOf(model, task.evaluationBatches('test', options.seed), options)
  const vary = async (key: 'length' | 'pairs', values: readonly number[]) => {
    const counts: CountAt[] = []
    for (const at of values) {
      const own = at === config[key]
      const batches = mqar({ ...config, [key]: at, ...sweepSet(config) }).evaluationBatches('test', options.seed)
      counts.push({ at, ...(own ? whole : totals(await accuracyOf(model, batches, options))) })
    }
    return counts
  }
  return {
    task: 'mqar',
    whole,
    byGap: [...(by.gap ?? [])].map(([at, count]) => ({ at, ...count })).sort((a, b) => a.at - b.at),
    byLength: await vary('length', sweptLengths(config)),
    byPairs: await vary('pairs', sweptPairs(config)),
  }
}

/** As many sequences as make 2000 labelled places, so that two points of accuracy are visible. */
function sweepSet({ pairs, evaluationSequences = 1024 }: MqarConfig): Pick<MqarConfig, 'evaluationSequences'> {
  return { evaluationSequences: Math.min(evaluationSequences, Math.ceil(2000 / pairs)) }
}

/** Half to eight times the training length, as far as the pairs fit in and the vocabulary exceeds the length. */
function sweptLengths({ length, vocabulary, pairs, passes = 1, updates = 0 }: MqarConfig): readonly number[] {
  const least = 2 * (pairs * passes + updates) + 2 * pairs
  const most = vocabulary - 2
  const wanted = [1 / 2, 1, 3 / 2, 2, 4, 8].map((factor) => 2 * Math.round((factor * length) / 2))
  const fitting = wanted.filter((swept) => swept >= least && swept <= most)
  return fitting.length < wanted.length && most > Math.max(...fitting) ? [...fitting, most] : fitting
}

function sweptPairs({ length, vocabulary, pairs, passes = 1, updates = 0 }: MqarConfig): readonly number[] {
  return [1 / 4, 1 / 2, 1, 2, 4]
    .map((factor) => factor * pairs)
    .filter((n) => Number.isInteger(n) && n >= updates && n < vocabulary / 2)
    .filter((n) => 2 * (n * passes + updates) + 2 * n <= length)
}

async function bitsPerByteOf(
  model: LanguageModel,
  batches: Iterable<Batch>,
  options: Pick<EvaluateOptions, 'signal' | 'onBatch'>,
): Promise<number> {
  return bitsPerByteBy(batches, options, (ids) => ({ ...model.forward(ids), state: [] }))
}

async function warmBitsPerByteOf(
  model: LanguageModel,
  batches: Iterable<Batch>,
  options: Pick<EvaluateOptions, 'signal' | 'onBatch'>,
): Promise<number> {
  return bitsPerByteBy(batches, options, (ids, state) => model.forward(ids, { state }))
}

/** Carries what `forward` gives as state from batch to batch. */
async function bitsPerByteBy(
  batches: Iterable<Batch>,
  { signal, onBatch }: Pick<EvaluateOptions, 'signal' | 'onBatch'>,
  forward: (ids: Tensor, state: readonly LayerState[] | undefined) => ReturnType<LanguageModel['forward']>,
): Promise<number> {
  let [nats, bytes] = [0, 0]
  let state: readonly LayerState[] | undefined
  try {
    for (const batch of batches) {
      await breathe(signal)
      const before = state
      const { loss, next } = scope(() => {
        const { ids, targets } = tokenBatch(batch)
        const result = forward(ids, before)
        return { loss: crossEntropy(result.logits, targets), next: result.state }
      })
      const asked = batch.y.reduce((count, label) => count + (label === IGNORED ? 0 : 1), 0)
      if (asked > 0) nats += (await loss.item()) * asked
      bytes += asked
      const kept = new Set(tensorsIn(next))
      free([loss, ...tensorsIn(before).filter((tensor) => !kept.has(tensor))])
      state = next
      onBatch?.()
    }
  } finally {
    free(tensorsIn(state))
  }
  return bitsPerByte(nats, bytes)
}

async function accuracyOf(
  model: LanguageModel,
  batches: Iterable<Batch>,
  { signal, onBatch }: Pick<EvaluateOptions, 'signal' | 'onBatch'>,
): Promise<AccuracyCounts> {
  const answers: (readonly [Batch, Int32Array])[] = []
  for (const batch of batches) {
    await breathe(signal)
    const answer = scope(() => argMax(model.forward(tokenBatch(batch).ids).logits, { axis: 2 })) // [B, T]
    answers.push([batch, Int32Array.from(await answer.data())])
    free([answer])
    onBatch?.()
  }
  return countCorrect(answers)
}

function totals({ correct, total }: Count): Count {
  return { correct, total }
}

function* firstOf<T>(items: Iterable<T>, count: number): Iterable<T> {
  let taken = 0
  for (const item of items) {
    if (taken++ === count) return
    yield item
  }
}
