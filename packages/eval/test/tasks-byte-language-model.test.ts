import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadMobyDick, type TextCorpus } from '../src/data/moby-dick.ts'
import { bitsPerByte } from '../src/tasks/bits-per-byte.ts'
import { byteLanguageModel } from '../src/tasks/byte-language-model.ts'
import { type Batch, IGNORED } from '../src/tasks/task.ts'

const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength })

/** A corpus with at least `length` + 1 bytes to train on, and the sizes of a task on it. */
const tasks = fc
  .record({ length: fc.integer({ min: 1, max: 12 }), batchSize: fc.integer({ min: 1, max: 5 }) })
  .chain((config) =>
    fc.record({
      config: fc.constant(config),
      corpus: fc.record<TextCorpus>({
        id: fc.constant('any'),
        source: fc.constant('none'),
        version: fc.constant('0.0.0'),
        train: bytes(config.length + 1, 60),
        valid: bytes(0, 100),
        test: bytes(0, 100),
      }),
      rows: fc.integer({ min: 1, max: 7 }),
      seed: fc.nat(),
      index: fc.nat(),
    }),
  )

const labels = ({ y }: Batch) => Array.from(y).filter((label) => label !== IGNORED)

describe('a training batch', () => {
  it('holds windows of the training text, each place asking for the next byte', () => {
    fc.assert(
      fc.property(tasks, ({ config, corpus, seed, index }) => {
        const task = byteLanguageModel(corpus, config)
        const { batchSize, length, x, y } = task.trainingBatch(seed, index)
        expect([batchSize, length]).toEqual([config.batchSize, config.length])
        const text = Buffer.from(corpus.train)
        for (let row = 0; row < batchSize; row++) {
          const read = Array.from(x.subarray(row * length, (row + 1) * length))
          const asked = Array.from(y.subarray(row * length, (row + 1) * length))
          expect(asked.slice(0, -1)).toEqual(read.slice(1))
          expect(text.includes(Buffer.from([...read, asked[length - 1]]))).toBe(true)
        }
        expect(task.trainingBatch(seed, index)).toEqual(byteLanguageModel(corpus, config).trainingBatch(seed, index))
      }),
    )
  })

  it('begins anywhere in the training text, uniformly within 4 standard deviations', () => {
    const train = Uint8Array.from({ length: 20 }, (_, i) => i)
    const corpus = { id: 'ramp', source: 'none', version: '0.0.0', train, valid: train, test: train }
    const { x } = byteLanguageModel(corpus, { length: 4, batchSize: 16_000 }).trainingBatch(0, 0)
    const found = new Array<number>(16).fill(0)
    for (let start = 0; start < x.length; start += 4) found[x[start]]++
    const deviation = Math.sqrt(16_000 * (1 / 16) * (15 / 16))
    for (const count of found) expect(Math.abs(count - 1000)).toBeLessThan(4 * deviation)
  })
})

describe('evaluation', () => {
  it('asks for every byte of the split but its first exactly once, in order, after the byte before it', () => {
    fc.assert(
      fc.property(tasks, fc.constantFrom('valid' as const, 'test' as const), ({ config, corpus, seed }, split) => {
        const batches = [...byteLanguageModel(corpus, config).evaluationBatches(split, seed)]
        expect(batches.flatMap(labels)).toEqual(Array.from(corpus[split].subarray(1)))
        const given = batches.flatMap(({ x, y }) => Array.from(x).filter((_, place) => y[place] !== IGNORED))
        expect(given).toEqual(Array.from(corpus[split].subarray(0, Math.max(0, corpus[split].length - 1))))
        for (const batch of batches) expect(batch.x.length).toBe(batch.batchSize * config.length)
        expect(batches.every(({ batchSize }) => batchSize >= 1 && batchSize <= config.batchSize)).toBe(true)
      }),
    )
  })

  it('fills a window past the end with zeros and ignored labels', () => {
    const text = Uint8Array.from([7, 8, 9, 10, 11, 12])
    const corpus = { id: 'short', source: 'none', version: '0.0.0', train: text, valid: text, test: text }
    const [batch] = byteLanguageModel(corpus, { length: 4, batchSize: 3 }).evaluationBatches('test', 0)
    expect(Array.from(batch.x)).toEqual([7, 8, 9, 10, 11, 0, 0, 0])
    expect(Array.from(batch.y)).toEqual([8, 9, 10, 11, 12, IGNORED, IGNORED, IGNORED])
  })

  it('with carried state asks for the same bytes: each row is a run of the text, and the rows follow each other', () => {
    fc.assert(
      fc.property(tasks, ({ config, corpus, rows }) => {
        const { length } = config
        const batches = [...byteLanguageModel(corpus, config).warmBatches('test', rows)]
        expect(batches.every(({ batchSize }) => batchSize === rows)).toBe(true)
        const row = (values: Int32Array, index: number) =>
          Array.from(values.subarray(index * length, (index + 1) * length))
        const asked: number[] = []
        for (let index = 0; index < rows; index++) {
          const read = batches.flatMap(({ x }) => row(x, index))
          const wanted = batches.flatMap(({ y }) => row(y, index))
          const count = wanted.filter((label) => label !== IGNORED).length
          expect(wanted.slice(count).every((label) => label === IGNORED)).toBe(true)
          expect(read.slice(1, count)).toEqual(wanted.slice(0, Math.max(0, count - 1)))
          if (count > 0) expect(read[0]).toBe(corpus.test[asked.length])
          asked.push(...wanted.slice(0, count))
        }
        expect(asked).toEqual(Array.from(corpus.test.subarray(1)))
      }),
    )
  })
})

describe('on Moby-Dick', () => {
  let corpus: TextCorpus
  beforeAll(async () => {
    corpus = await loadMobyDick()
  })

  it('windows of 128 ask for the 60 249 bytes of the test split after its first', () => {
    const task = byteLanguageModel(corpus, { length: 128, batchSize: 16 })
    expect([...task.evaluationBatches('test', 0)].flatMap(labels)).toEqual(Array.from(corpus.test.subarray(1)))
    expect([...task.warmBatches('test', 16)].flatMap(labels).length).toBe(60_249)
  })
})

describe('bits per byte', () => {
  it('of the uniform prediction are 8, however the bytes lie in batches', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4096 }), { minLength: 1, maxLength: 20 }), (batches) => {
        const count = batches.reduce((sum, size) => sum + size, 0)
        const nats = batches.reduce((sum, size) => sum + size * Math.log(256), 0)
        expect(bitsPerByte(nats, count)).toBeCloseTo(8, 10)
      }),
    )
  })

  it('of no bytes are an error', () => {
    expect(() => bitsPerByte(0, 0)).toThrow(/bitsPerByte: bytes is 0 but must be an integer of at least 1/)
  })
})

describe('a bad byte task is refused:', () => {
  const text = new Uint8Array(10)
  const corpus = { id: 'zeros', source: 'none', version: '0.0.0', train: text, valid: text, test: text }
  it('a length or batch size that is no positive integer', () => {
    expect(() => byteLanguageModel(corpus, { length: 0, batchSize: 1 })).toThrow(/byteLanguageModel: length is 0 /)
    expect(() => byteLanguageModel(corpus, { length: 1, batchSize: 1.5 })).toThrow(/batchSize is 1.5 /)
  })
  it('a training text too short for one window', () => {
    expect(() => byteLanguageModel(corpus, { length: 10, batchSize: 1 })).toThrow(
      /the training text has 10 bytes but must have more than length \(10\)/,
    )
  })
  it('no rows to carry state in', () => {
    const task = byteLanguageModel(corpus, { length: 4, batchSize: 1 })
    expect(() => [...task.warmBatches('test', 0)]).toThrow(/warmBatches: rows is 0 /)
  })
})
