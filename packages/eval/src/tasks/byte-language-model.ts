import type { TextCorpus } from '../data/moby-dick.ts'
import { checkCount } from './check.ts'
import { batchStream } from './stream.ts'
import { type Batch, IGNORED, type Task } from './task.ts'

export interface ByteLanguageModelConfig {
  /** T: bytes per window. */
  readonly length: number
  readonly batchSize: number
}

/** Next-byte prediction on a text. */
export interface ByteLanguageModelTask extends Task {
  /**
   * The windows of a split for evaluation with the state carried from batch to batch ("warm"): row b of each batch goes
   * on where row b of the batch before stopped. All batches have `rows` rows; each row begins cold, once.
   */
  warmBatches(split: 'valid' | 'test', rows: number): Iterable<Batch>
}

/**
 * Predict every next byte (V = 256), scored in bits per byte. Training windows begin anywhere, uniformly; evaluation
 * windows do not overlap and together ask for every byte of the split but its first. A window that runs past the end of
 * the text is filled up with zeros and ignored labels.
 *
 * @throws RangeError when a size is no positive integer or a split is too short for one training window
 */
export function byteLanguageModel(corpus: TextCorpus, config: ByteLanguageModelConfig): ByteLanguageModelTask {
  const { length, batchSize } = config
  checkCount('byteLanguageModel', 'length', length, 1)
  checkCount('byteLanguageModel', 'batchSize', batchSize, 1)
  if (corpus.train.length <= length) {
    throw new RangeError(
      `byteLanguageModel: the training text has ${corpus.train.length} bytes but must have more than length (${length})`,
    )
  }
  const id = `bytes-${corpus.id}-t${length}`
  return {
    id,
    vocabulary: 256,
    length,
    batchSize,
    metric: 'bitsPerByte',
    trainingBatch(seed, index) {
      const random = batchStream(id, 'train', seed, index)
      const starts = Array.from({ length: batchSize }, () => random.integer(corpus.train.length - length))
      return windows(corpus.train, starts, length)
    },
    *evaluationBatches(split) {
      const bytes = corpus[split]
      const step = batchSize * length
      for (let first = 0; first < bytes.length - 1; first += step) {
        const starts = []
        for (let start = first; start < Math.min(first + step, bytes.length - 1); start += length) starts.push(start)
        yield windows(bytes, starts, length)
      }
    },
    *warmBatches(split, rows) {
      checkCount('warmBatches', 'rows', rows, 1)
      const bytes = corpus[split]
      const perRow = Math.ceil(Math.ceil((bytes.length - 1) / length) / rows)
      for (let i = 0; i < perRow; i++) {
        const starts = Array.from({ length: rows }, (_, row) => (row * perRow + i) * length)
        yield windows(bytes, starts, length)
      }
    },
  }
}

function windows(bytes: Uint8Array, starts: readonly number[], length: number): Batch {
  const x = new Int32Array(starts.length * length)
  const y = new Int32Array(starts.length * length).fill(IGNORED)
  starts.forEach((start, row) => {
    const asked = Math.max(0, Math.min(length, bytes.length - 1 - start))
    x.set(bytes.subarray(start, start + asked), row * length)
    y.set(bytes.subarray(start + 1, start + 1 + asked), row * length)
  })
  return { batchSize: starts.length, length, x, y, slices: {}, placeSlices: {} }
}
