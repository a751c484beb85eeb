/** Label of a position that counts neither for the loss nor for a metric. */
export const IGNORED: number = -100

export type Split = 'train' | 'valid' | 'test'

/** `smoke`: is it wired? `small`: does the known ordering show, in minutes? `paper`: the size of the literature. */
export type Level = 'smoke' | 'small' | 'paper'

export type MetricName = 'accuracy' | 'bitsPerByte'

/** Sequences of tokens and what is to be predicted at each place. */
export interface Batch {
  readonly batchSize: number
  /** Tokens per sequence. */
  readonly length: number
  /** Input tokens, [batchSize, length] row by row. */
  readonly x: Int32Array
  /** Labels at the same places as `x`, [batchSize, length]; {@link IGNORED} where nothing is asked. */
  readonly y: Int32Array
  /** What all sequences of this batch have in common, for reporting metrics apart: `{ pairs: 4 }`. */
  readonly slices: Readonly<Record<string, number | string>>
  /** The same per place, [batchSize, length] each: `{ gap }`. Meaningful only where `y` is a label. */
  readonly placeSlices: Readonly<Record<string, Int32Array>>
}

/**
 * A source of batches with a metric. A batch is a function of split, seed and index alone, so every mixer sees the same
 * data, and no two of these triples share a random stream.
 */
export interface Task {
  readonly id: string
  /** Number of token values, inputs and labels alike. */
  readonly vocabulary: number
  /** Tokens per sequence. */
  readonly length: number
  readonly batchSize: number
  readonly metric: MetricName
  /** Training batch `index` of run `seed`. */
  trainingBatch(seed: number, index: number): Batch
  /** The finite evaluation set of a split, in order. The last batch may hold fewer sequences. */
  evaluationBatches(split: 'valid' | 'test', seed: number): Iterable<Batch>
}

/** One task configuration at one level, with the model size and training budget it is meant for. */
export interface Preset<Config> {
  readonly id: string
  readonly level: Level
  readonly task: Config
  readonly model: { readonly width: number; readonly layers: number; readonly heads: number }
  readonly training: {
    readonly steps: number
    /** Grid to choose from on the validation split. */
    readonly learningRates: readonly number[]
    readonly weightDecay: number
  }
}
