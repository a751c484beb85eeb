import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bindingLength, type MqarConfig, mqar } from '../src/tasks/mqar.ts'
import { mqarPresets } from '../src/tasks/presets.ts'
import { batchStream } from '../src/tasks/stream.ts'
import { type Batch, IGNORED } from '../src/tasks/task.ts'

/** Sizes that fit each other, in every option. */
const configs: fc.Arbitrary<MqarConfig> = fc
  .record({
    pairs: fc.integer({ min: 1, max: 6 }),
    passes: fc.integer({ min: 1, max: 3 }),
    updateShare: fc.double({ min: 0, max: 1, noNaN: true }),
    spareSlots: fc.integer({ min: 0, max: 8 }),
    spareTokens: fc.integer({ min: 1, max: 20 }),
    exponent: fc.constantFrom(0.01, 0.5, 1, 3, 1000),
    fillers: fc.constantFrom('zero' as const, 'random' as const),
    batchSize: fc.integer({ min: 1, max: 5 }),
    evaluationSequences: fc.integer({ min: 1, max: 12 }),
  })
  .map(({ updateShare, spareSlots, spareTokens, ...rest }) => {
    const updates = Math.round(updateShare * rest.pairs)
    const length = 2 * (rest.pairs * rest.passes + updates + rest.pairs + spareSlots)
    return { ...rest, updates, length, vocabulary: length + 2 * spareTokens }
  })

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const indices = fc.integer({ min: 0, max: 100_000 })

const rowsOf = ({ batchSize, length, x, y, placeSlices }: Batch) =>
  Array.from({ length: batchSize }, (_, row) => {
    const part = (values: Int32Array) => Array.from(values.subarray(row * length, (row + 1) * length))
    return { x: part(x), y: part(y), gap: part(placeSlices.gap) }
  })

const labelled = (y: readonly number[]) => y.flatMap((label, t) => (label === IGNORED ? [] : [t]))

const even = (values: readonly number[]) => values.filter((_, i) => i % 2 === 0)
const odd = (values: readonly number[]) => values.filter((_, i) => i % 2 === 1)

describe('an MQAR batch', () => {
  it('depends on split, seed and index alone', () => {
    fc.assert(
      fc.property(configs, seeds, indices, (config, seed, index) => {
        const one = mqar(config)
        one.trainingBatch(seed + 1, index)
        expect(one.trainingBatch(seed, index)).toEqual(mqar(config).trainingBatch(seed, index))
        const again = [...mqar(config).evaluationBatches('test', seed)]
        expect([...one.evaluationBatches('test', seed)]).toEqual(again)
      }),
      { numRuns: 50 },
    )
  })

  it('has, at each query, the last value that a linear search from the query finds for its key', () => {
    fc.assert(
      fc.property(configs, seeds, indices, (config, seed, index) => {
        for (const { x, y, gap } of rowsOf(mqar(config).trainingBatch(seed, index))) {
          const solved = labelled(y).map((query) => {
            let key = bindingLength(config) - 2
            while (key >= 0 && x[key] !== x[query]) key -= 2
            return { label: x[key + 1], gap: query - key }
          })
          expect(solved).toEqual(labelled(y).map((query) => ({ label: y[query], gap: gap[query] })))
        }
      }),
    )
  })

  it('binds distinct keys of [1, V/2) to distinct values of [V/2, V), the list repeated for every pass', () => {
    fc.assert(
      fc.property(configs, seeds, indices, (config, seed, index) => {
        const { vocabulary, pairs, passes = 1 } = config
        for (const { x } of rowsOf(mqar(config).trainingBatch(seed, index))) {
          const list = x.slice(0, 2 * pairs)
          expect(new Set(list).size).toBe(2 * pairs)
          expect(even(list).every((key) => key >= 1 && key < vocabulary / 2)).toBe(true)
          expect(odd(list).every((value) => value >= vocabulary / 2 && value < vocabulary)).toBe(true)
          expect(x.slice(0, 2 * pairs * passes)).toEqual(Array.from({ length: passes }, () => list).flat())
        }
      }),
    )
  })

  it('gives the updated keys, all different, a value that is not their old one', () => {
    fc.assert(
      fc.property(configs, seeds, indices, (config, seed, index) => {
        const { vocabulary, pairs, passes = 1 } = config
        for (const { x } of rowsOf(mqar(config).trainingBatch(seed, index))) {
          const list = new Map(even(x.slice(0, 2 * pairs)).map((key, j) => [key, x[2 * j + 1]]))
          const updates = x.slice(2 * pairs * passes, bindingLength(config))
          expect(new Set(even(updates)).size).toBe(config.updates)
          even(updates).forEach((key, j) => {
            const value = odd(updates)[j]
            expect(list.has(key) && value !== list.get(key)).toBe(true)
            expect(value >= vocabulary / 2 && value < vocabulary).toBe(true)
          })
        }
      }),
    )
  })

  it('asks for every key once, at an even distance after the bindings, and has fillers elsewhere', () => {
    fc.assert(
      fc.property(configs, seeds, indices, (config, seed, index) => {
        const context = bindingLength(config)
        for (const { x, y } of rowsOf(mqar(config).trainingBatch(seed, index))) {
          const queries = labelled(y)
          expect(queries.every((t) => t >= context && (t - context) % 2 === 0)).toBe(true)
          const asked = queries.map((t) => x[t]).sort()
          expect(asked).toEqual(even(x.slice(0, 2 * config.pairs)).sort())
          const fillers = x.filter((_, t) => t >= context && !queries.includes(t))
          const most = config.fillers === 'random' ? config.vocabulary - 1 : 0
          expect(fillers.every((token) => token >= 0 && token <= most)).toBe(true)
        }
      }),
    )
  })
})

describe('the streams of train, valid and test', () => {
  it('start in different states for every split, seed, index and task', () => {
    const states = new Set<string>()
    let streams = 0
    for (const task of ['mqar-v64-t32-n4', 'mqar-v64-t32-n4-u2']) {
      for (const split of ['train', 'valid', 'test'] as const) {
        for (let seed = 0; seed < 12; seed++) {
          for (let index = 0; index < 300; index++) {
            states.add(batchStream(task, split, seed, index).state.join())
            streams++
          }
        }
      }
    }
    expect(states.size).toBe(streams)
  })

  it('share no sequence', () => {
    const task = mqar({ vocabulary: 128, length: 64, pairs: 8, batchSize: 32, evaluationSequences: 320 })
    const sequences = (batches: Iterable<Batch>) => [...batches].flatMap(rowsOf).map(({ x }) => x.join())
    const all = [0, 1].flatMap((seed) => [
      ...sequences(Array.from({ length: 10 }, (_, index) => task.trainingBatch(seed, index))),
      ...sequences(task.evaluationBatches('valid', seed)),
      ...sequences(task.evaluationBatches('test', seed)),
    ])
    expect(all.length).toBe(2 * 3 * 320)
    expect(new Set(all).size).toBe(all.length)
  })

  it('hold as many sequences as asked, and training batches repeat only after as many as asked', () => {
    fc.assert(
      fc.property(configs, seeds, fc.integer({ min: 1, max: 9 }), (config, seed, trainingBatches) => {
        const task = mqar({ ...config, trainingBatches })
        for (const split of ['valid', 'test'] as const) {
          const sizes = [...task.evaluationBatches(split, seed)].map(({ batchSize }) => batchSize)
          expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(config.evaluationSequences)
          expect(sizes.slice(0, -1).every((size) => size === config.batchSize)).toBe(true)
        }
        const first = task.trainingBatch(seed, 0)
        expect(task.trainingBatch(seed, trainingBatches)).toEqual(first)
        const last = trainingBatches - 1
        expect(task.trainingBatch(seed, last)).toEqual(mqar(config).trainingBatch(seed, last))
      }),
      { numRuns: 30 },
    )
  })
})

describe('over many sequences', () => {
  const config = { vocabulary: 16, length: 14, pairs: 2, updates: 1, batchSize: 20_000 }
  const rows = rowsOf(mqar(config).trainingBatch(3, 0))

  it('labels are uniform over the values within 4 standard deviations', () => {
    const labels = rows.map(({ y }) => y[labelled(y)[0]]) // one of each sequence: those are independent
    expectShares(counts(labels, 8, 16), new Array(8).fill(1 / 8), rows.length)
  })

  it('keys are uniform over [1, V/2), and so is the key that is updated over the pairs', () => {
    const keys = rows.map(({ x }) => x[0])
    expectShares(counts(keys, 1, 8), new Array(7).fill(1 / 7), rows.length)
    const updated = rows.map(({ x }) => (x[4] === x[0] ? 0 : 1))
    expectShares(counts(updated, 0, 2), [0.5, 0.5], rows.length)
  })

  it('random fillers are uniform over all tokens', () => {
    const random = rowsOf(mqar({ ...config, fillers: 'random' }).trainingBatch(3, 0))
    const fillers = random.map(({ x }) => x[7]) // an odd place after the bindings, never a query
    expectShares(counts(fillers, 0, 16), new Array(16).fill(1 / 16), rows.length)
  })

  for (const exponent of [0.01, 0.5, 1, 2]) {
    it(`the slot of a query follows the power law with exponent ${exponent}`, () => {
      const slots = 5
      const sizes = { vocabulary: 32, length: 16, pairs: 3, exponent, batchSize: 20_000 } // 6 binding tokens, 5 slots
      const drawn = rowsOf(mqar(sizes).trainingBatch(5, 0)).map(({ x, y }) =>
        [0, 2, 4].map((place) => (labelled(y).find((query) => x[query] === x[place]) ?? Number.NaN) - 6),
      )
      const weights = Array.from({ length: slots }, (_, g) => exponent * (g + 1) ** (exponent - 1))
      const whole = weights.reduce((sum, weight) => sum + weight, 0)
      const first = drawn.map(([slot]) => slot / 2)
      const law = weights.map((weight) => weight / whole)
      expectShares(counts(first, 0, slots), law, drawn.length)
      // the second key's slot is drawn from the remaining ones with renormalised weights
      const second = drawn.map((pair) => pair[1] / 2)
      const renormalised = law.map((p, g) => law.reduce((sum, q, h) => (h === g ? sum : sum + (q * p) / (1 - q)), 0))
      expectShares(counts(second, 0, slots), renormalised, drawn.length)
    })
  }
})

describe('a bad MQAR configuration is refused:', () => {
  const good: MqarConfig = { vocabulary: 64, length: 32, pairs: 4, batchSize: 8 }
  const bad: readonly (readonly [Partial<MqarConfig>, RegExp])[] = [
    [{ vocabulary: 63 }, /mqar: vocabulary is 63 but must be even/],
    [{ vocabulary: 32 }, /mqar: vocabulary is 32 but must be greater than length \(32\)/],
    [{ length: 31 }, /mqar: length is 31 but must be even/],
    [{ length: Number.NaN }, /mqar: length is NaN but must be an integer/],
    [{ length: 14 }, /mqar: length is 14 but must be at least 16 = /],
    [{ passes: 4 }, /mqar: length is 32 but must be at least 40 = /],
    [{ pairs: 0 }, /mqar: pairs is 0 but must be an integer of at least 1/],
    [{ pairs: 2.5 }, /mqar: pairs is 2.5 but must be an integer/],
    [{ passes: 0 }, /mqar: passes is 0 /],
    [{ updates: -1 }, /mqar: updates is -1 but must be an integer of at least 0/],
    [{ updates: 5 }, /mqar: updates is 5 but must be at most pairs \(4\)/],
    [{ exponent: 0 }, /mqar: exponent is 0 but must be a finite number greater than 0/],
    [{ exponent: Number.POSITIVE_INFINITY }, /mqar: exponent is Infinity /],
    [{ batchSize: 0 }, /mqar: batchSize is 0 /],
    [{ evaluationSequences: 0 }, /mqar: evaluationSequences is 0 /],
    [{ trainingBatches: 0 }, /mqar: trainingBatches is 0 /],
  ]
  for (const [part, message] of bad) {
    it(JSON.stringify(part), () => expect(() => mqar({ ...good, ...part })).toThrow(message))
  }

  it('an option that is undefined is not bad: it takes its default', () => {
    const open: MqarConfig = { ...good, passes: undefined, updates: undefined, exponent: undefined, fillers: undefined }
    expect(mqar(open).trainingBatch(0, 0)).toEqual(mqar(good).trainingBatch(0, 0))
  })

  it('no preset is', () => {
    for (const { task } of mqarPresets) expect(() => mqar(task)).not.toThrow()
  })
})

it('tasks that generate different data have different names', () => {
  const names = mqarPresets.map(({ task }) => mqar(task).id)
  expect(new Set(names).size).toBe(mqarPresets.length)
})

function counts(values: readonly number[], from: number, to: number): readonly number[] {
  const found = new Array<number>(to - from).fill(0)
  for (const value of values) found[value - from]++
  return found
}

/** Every count within 4 standard deviations of its expectation, and no value outside. */
function expectShares(found: readonly number[], shares: readonly number[], trials: number): void {
  expect(found.length).toBe(shares.length)
  expect(found.reduce((sum, count) => sum + count, 0)).toBe(trials)
  shares.forEach((share, i) => {
    const deviation = Math.sqrt(trials * share * (1 - share))
    expect(Math.abs(found[i] - trials * share)).toBeLessThan(4 * deviation)
  })
}
