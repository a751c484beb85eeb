import { type Batch, IGNORED } from './task.ts'

export interface Count {
  readonly correct: number
  readonly total: number
}

export interface AccuracyCounts extends Count {
  /** For every place slice of the batches: its values and their counts. */
  readonly by: Readonly<Record<string, ReadonlyMap<number, Count>>>
}

/**
 * Counts of right answers over the labelled places of batches, whole and by place slice.
 *
 * @param answers pairs of a batch and the predicted tokens, [batchSize, length] as in the batch
 * @throws RangeError when predictions and batch differ in size
 */
export function countCorrect(answers: Iterable<readonly [Batch, Int32Array]>): AccuracyCounts {
  const by: Record<string, Map<number, Count>> = {}
  let whole: Count = { correct: 0, total: 0 }
  for (const [batch, predictions] of answers) {
    if (predictions.length !== batch.y.length) {
      throw new RangeError(
        `countCorrect: got ${predictions.length} predictions but the batch has ${batch.y.length} places`,
      )
    }
    for (let place = 0; place < batch.y.length; place++) {
      if (batch.y[place] === IGNORED) continue
      const right = predictions[place] === batch.y[place]
      whole = counted(whole, right)
      for (const [name, values] of Object.entries(batch.placeSlices)) {
        by[name] ??= new Map()
        by[name].set(values[place], counted(by[name].get(values[place]) ?? { correct: 0, total: 0 }, right))
      }
    }
  }
  return { ...whole, by }
}

function counted({ correct, total }: Count, right: boolean): Count {
  return { correct: correct + (right ? 1 : 0), total: total + 1 }
}
