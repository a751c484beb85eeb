import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { gzipBitsPerByte } from '../src/baselines/gzip.ts'
import { mqarBaselines } from '../src/baselines/mqar.ts'
import { textBaselines } from '../src/baselines/text.ts'
import { type WittenBell, wittenBell } from '../src/baselines/witten-bell.ts'
import { loadMobyDick, type TextCorpus } from '../src/data/moby-dick.ts'
import { mqarPresets } from '../src/tasks/presets.ts'

/** Texts over few symbols, so that contexts repeat, and over all of them. */
const texts = fc.oneof(
  fc.array(fc.constantFrom(0, 97, 98, 255), { maxLength: 80 }).map((bytes) => Uint8Array.from(bytes)),
  fc.uint8Array({ maxLength: 80 }),
)
const orders = fc.integer({ min: 0, max: 5 })

/** p(byte | context) by each order, from the bits that one more byte costs. */
function probability(model: WittenBell, context: Uint8Array, byte: number): readonly number[] {
  const whole = model.bitsPerByte(Uint8Array.of(...context, byte)).map((bits) => bits * (context.length + 1))
  const before = context.length === 0 ? [] : model.bitsPerByte(context).map((bits) => bits * context.length)
  return whole.map((bits, k) => 2 ** ((before[k] ?? 0) - bits))
}

describe('Witten–Bell', () => {
  it('probabilities of the 256 successors of any context sum to 1 and are positive, in every order', () => {
    fc.assert(
      fc.property(texts, texts, orders, (text, context, order) => {
        const model = wittenBell(text, order)
        const sums = new Array<number>(order + 1).fill(0)
        for (let byte = 0; byte < 256; byte++) {
          probability(model, context, byte).forEach((p, k) => {
            expect(p).toBeGreaterThan(0)
            sums[k] += p
          })
        }
        for (const sum of sums) expect(sum).toBeCloseTo(1, 9)
      }),
      { numRuns: 30 },
    )
  })

  it('agrees with the formula evaluated by counting substrings', () => {
    fc.assert(
      fc.property(texts, texts, orders, (text, asked, order) => {
        fc.pre(asked.length > 0)
        const found = wittenBell(text, order).bitsPerByte(asked)
        const wanted = Array.from({ length: order + 1 }, (_, k) => {
          const bits = Array.from(asked, (_, t) => -Math.log2(slowProbability(text, asked, t, Math.min(k, t))))
          return bits.reduce((sum, bit) => sum + bit, 0) / asked.length
        })
        found.forEach((bits, k) => {
          expect(bits).toBeCloseTo(wanted[k], 9)
        })
      }),
    )
  })

  it('without training text is uniform, 8 bits per byte', () => {
    expect(wittenBell(new Uint8Array(0), 2).bitsPerByte(Uint8Array.of(1, 2, 3))).toEqual([8, 8, 8])
  })

  it('takes any training text and any more of it', () => {
    fc.assert(
      fc.property(texts, texts, fc.integer({ min: 0, max: 12 }), (text, more, order) => {
        const bits = wittenBell(Uint8Array.of(...text, ...more), order).bitsPerByte(Uint8Array.of(0, 97, 97))
        expect(bits.length).toBe(order + 1)
        expect(bits.every((value) => value > 0 && Number.isFinite(value))).toBe(true)
      }),
    )
  })

  it('refuses an order that is no whole number, and a text without bytes', () => {
    for (const order of [-1, 0.5, Number.NaN]) {
      expect(() => wittenBell(new Uint8Array(1), order)).toThrow(`wittenBell: order is ${order} but must be an integer`)
    }
    expect(() => wittenBell(new Uint8Array(1), 0).bitsPerByte(new Uint8Array(0))).toThrow(/the text is empty/)
  })
})

describe('on the test split of Moby-Dick,', () => {
  let corpus: TextCorpus
  let model: WittenBell

  beforeAll(async () => {
    corpus = await loadMobyDick()
    model = wittenBell(corpus.train, 6)
  })

  it('Witten–Bell orders 0 to 6 give the figures of evaluation spec §7, which forget the context every 8192 bytes', () => {
    const bits = new Array<number>(7).fill(0)
    for (let start = 0; start < corpus.test.length; start += 8192) {
      const window = corpus.test.subarray(start, start + 8192)
      model.bitsPerByte(window).forEach((mean, k) => {
        bits[k] += (mean * window.length) / corpus.test.length
      })
    }
    expect(bits.map((value) => value.toFixed(3))).toEqual([
      '4.554',
      '3.484',
      '2.851',
      '2.359',
      '2.177',
      '2.191',
      '2.295',
    ])
  })

  it('Witten–Bell with its context carried throughout is up to 0.001 better', () => {
    const found = model.bitsPerByte(corpus.test).map((value) => value.toFixed(4))
    expect(found).toEqual(['4.5544', '3.4839', '2.8509', '2.3585', '2.1764', '2.1908', '2.2948'])
  })

  it('gzip −9 is at 3.201 after the training text and 3.371 alone, up to versions of zlib', () => {
    const { afterTrain, alone } = gzipBitsPerByte(corpus.train, corpus.test)
    expect(Math.abs(afterTrain - 3.201)).toBeLessThan(0.03)
    expect(Math.abs(alone - 3.371)).toBeLessThan(0.03)
  })

  it('the list of baselines names each of them with its value', () => {
    const short = { ...corpus, train: corpus.train.subarray(0, 50_000), test: corpus.test.subarray(0, 5000) }
    const found = textBaselines(short, 2)
    expect(found.map(({ id }) => id)).toEqual([
      'Witten–Bell order 0',
      'Witten–Bell order 1',
      'Witten–Bell order 2',
      'gzip -9',
    ])
    const wanted = wittenBell(short.train, 2).bitsPerByte(short.test)
    expect(found.slice(0, 3).map(({ value }) => value)).toEqual(wanted)
    expect(found[3].value).toBe(gzipBitsPerByte(short.train, short.test).afterTrain)
  })
})

it('gzip refuses an empty test text', () => {
  expect(() => gzipBitsPerByte(new Uint8Array(3), new Uint8Array(0))).toThrow(/gzipBitsPerByte: test is empty/)
})

describe('the baselines of', () => {
  for (const { id, task } of mqarPresets) {
    const { vocabulary, pairs, updates = 0 } = task
    it(`${id} are 1/(V/2), about 1/n and 1`, () => {
      const baselines = mqarBaselines({ ...task, evaluationSequences: 100 }, 0)
      expect(baselines.map((baseline) => baseline.id)).toEqual(['uniform', 'any value seen', 'oracle'])
      const [uniform, seen, oracle] = baselines.map(({ value }) => value)
      expect(uniform).toBe(2 / vocabulary)
      expect(oracle).toBe(1)
      if (updates === 0) expect(seen).toBeCloseTo(1 / pairs, 12)
      else {
        expect(seen).toBeGreaterThan(1 / (pairs + updates))
        expect(seen).toBeLessThan(1 / pairs)
      }
    })
  }

  it('MQAR read several times are the same', () => {
    const task = { vocabulary: 64, length: 32, pairs: 4, passes: 3, batchSize: 16, evaluationSequences: 48 }
    expect(mqarBaselines(task, 0).map(({ value }) => value)).toEqual([1 / 32, 0.25, 1])
  })
})

/** p_k of asked[t] after the `order` bytes before it, by the definition. */
function slowProbability(text: Uint8Array, asked: Uint8Array, t: number, order: number): number {
  if (order < 0) return 1 / 256
  const lower = slowProbability(text, asked, t, order - 1)
  const context = asked.subarray(t - order, t)
  const successors: number[] = []
  for (let start = 0; start + order < text.length; start++) {
    if (context.every((byte, i) => text[start + i] === byte)) successors.push(text[start + order])
  }
  if (successors.length === 0) return lower
  const seen = successors.filter((byte) => byte === asked[t]).length
  const distinct = new Set(successors).size
  return (seen + distinct * lower) / (successors.length + distinct)
}
