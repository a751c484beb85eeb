import { countCorrect } from '../tasks/accuracy.ts'
import { bindingLength, type MqarConfig, mqar } from '../tasks/mqar.ts'
import { type Batch, IGNORED } from '../tasks/task.ts'
import type { Baseline } from './baseline.ts'

/**
 * Accuracies that frame an MQAR result: `uniform` over all values (closed form), `any value seen` (expected when
 * guessing among the values that were read, 1/n without updates) and the `oracle` that looks the key up, both computed
 * on the test set of a seed.
 */
export function mqarBaselines(config: MqarConfig, seed: number): readonly Baseline[] {
  const batches = [...mqar(config).evaluationBatches('test', seed)]
  const context = bindingLength(config)
  const oracle = countCorrect(batches.map((batch) => [batch, lookUp(batch, context)] as const))
  return [
    { id: 'uniform', value: 1 / (config.vocabulary - config.vocabulary / 2) },
    { id: 'any value seen', value: shareOfSeenValues(batches, context) },
    { id: 'oracle', value: oracle.correct / oracle.total },
  ]
}

/** Answers of a table that is written while the pairs are read and looked up at every later key, [batchSize, length]. */
function lookUp({ batchSize, length, x }: Batch, context: number): Int32Array {
  const answers = new Int32Array(x.length).fill(IGNORED)
  for (let row = 0; row < batchSize; row++) {
    const start = row * length
    const table = new Map<number, number>()
    for (let t = 0; t < context; t += 2) table.set(x[start + t], x[start + t + 1])
    for (let t = context; t < length; t++) answers[start + t] = table.get(x[start + t]) ?? IGNORED
  }
  return answers
}

function shareOfSeenValues(batches: readonly Batch[], context: number): number {
  let labels = 0
  let share = 0
  for (const { length, x, y } of batches) {
    y.forEach((label, place) => {
      if (label === IGNORED) return
      const start = place - (place % length)
      let same = 0
      for (let t = 1; t < context; t += 2) if (x[start + t] === label) same++
      labels++
      share += same / (context / 2)
    })
  }
  return share / labels
}
