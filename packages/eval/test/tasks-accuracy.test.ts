import fc from 'fast-check'
import { expect, it } from 'vitest'
import { countCorrect } from '../src/tasks/accuracy.ts'
import { type Batch, IGNORED } from '../src/tasks/task.ts'

const places = fc.array(
  fc.record({
    label: fc.constantFrom(IGNORED, 0, 1, 2),
    predicted: fc.constantFrom(IGNORED, 0, 1, 2),
    gap: fc.integer({ min: 1, max: 4 }),
  }),
  { maxLength: 30 },
)

it('accuracy counts the labelled places alone, and its slices add up to the whole', () => {
  fc.assert(
    fc.property(fc.array(places, { maxLength: 4 }), (batches) => {
      const counts = countCorrect(
        batches.map((batch) => [
          asBatch(
            batch.map(({ label }) => label),
            batch.map(({ gap }) => gap),
          ),
          Int32Array.from(batch, ({ predicted }) => predicted),
        ]),
      )
      const asked = batches.flat().filter(({ label }) => label !== IGNORED)
      const right = asked.filter(({ label, predicted }) => label === predicted)
      expect({ correct: counts.correct, total: counts.total }).toEqual({ correct: right.length, total: asked.length })
      for (const gap of [1, 2, 3, 4]) {
        const total = asked.filter((place) => place.gap === gap).length
        const correct = right.filter((place) => place.gap === gap).length
        expect(counts.by.gap?.get(gap)).toEqual(total === 0 ? undefined : { correct, total })
      }
    }),
  )
})

it('accuracy refuses predictions of another size than the batch', () => {
  expect(() => countCorrect([[asBatch([1, 2], [1, 1]), new Int32Array(3)]])).toThrow(
    /countCorrect: got 3 predictions but the batch has 2 places/,
  )
})

function asBatch(labels: readonly number[], gaps: readonly number[]): Batch {
  const y = Int32Array.from(labels)
  return { batchSize: 1, length: y.length, x: y, y, slices: {}, placeSlices: { gap: Int32Array.from(gaps) } }
}
