import { argMax, randomGenerator, reference, reshape, slice, tensor, useExecutor } from '@mixtape/autodiff'
import { wasm } from '@mixtape/autodiff/wasm'
import { attention, type GenerateOptions, generate, type LanguageModel, languageModel, sampleToken } from '@mixtape/nn'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { convolution, liveBytes, randomize, seeds } from './support.ts'

beforeEach(async () => {
  await useExecutor(reference())
})

const vocabulary = 6
const prompt = [1, 2, 3]

function make(layers = [attention({ heads: 2 }), convolution()]): LanguageModel {
  const model = languageModel({ vocabulary, width: 8, layers, innerWidth: 8 })
  randomize(model, 4)
  return model
}

async function tokensOf(model: LanguageModel, options: Partial<GenerateOptions> = {}): Promise<number[]> {
  const ids: number[] = []
  const generator = randomGenerator(1)
  for await (const id of generate(model, { prompt, tokens: 12, generator, ...options })) ids.push(id)
  return ids
}

/** Generates by running the whole sequence again for every token. */
async function greedy(model: LanguageModel, tokens: number): Promise<number[]> {
  const ids = [...prompt]
  for (let made = 0; made < tokens; made++) {
    const { logits } = model.forward(tensor([ids], { dtype: 'int32' }))
    const last = slice(logits, { axis: 1, start: ids.length - 1 })
    ids.push(await argMax(reshape(last, [vocabulary]), { axis: 0 }).item())
  }
  return ids.slice(prompt.length)
}

describe('generate', () => {
  it('takes the most likely token at temperature 0, as whole sequences give it', async () => {
    const model = make()
    const want = await greedy(model, 12)
    expect(new Set(want).size).toBeGreaterThan(1)
    expect(await tokensOf(model, { temperature: 0 })).toEqual(want)
  })

  it('takes it with topK 1 and with a tiny topP too', async () => {
    const model = make()
    const want = await tokensOf(model, { temperature: 0 })
    expect(await tokensOf(model, { topK: 1 })).toEqual(want)
    expect(await tokensOf(model, { topP: 1e-9 })).toEqual(want)
    expect(await tokensOf(model, { temperature: 5 })).not.toEqual(want)
  })

  it('depends on the generator alone', async () => {
    const model = make()
    const one = await tokensOf(model, { tokens: 30 })
    expect(await tokensOf(model, { tokens: 30 })).toEqual(one)
    expect(await tokensOf(model, { tokens: 30, generator: randomGenerator(2) })).not.toEqual(one)
  })

  it('gives as many tokens as asked for, 0 too', async () => {
    for (const tokens of [0, 1, 7]) expect(await tokensOf(make(), { tokens })).toHaveLength(tokens)
  })

  it('holds constant memory with recurrent layers, on every executor', async () => {
    for (const executor of [reference(), wasm()]) {
      await useExecutor(executor)
      const model = make([convolution(), convolution()])
      const before = liveBytes()
      const seen: number[] = []
      const options = { prompt: [1], tokens: 200, generator: randomGenerator(0) }
      for await (const _ of generate(model, options)) seen.push(liveBytes())
      expect(new Set(seen.slice(1)).size).toBe(1)
      expect(liveBytes()).toBe(before)
    }
  })

  it('holds nothing when the consumer leaves or throws', async () => {
    const model = make()
    const before = liveBytes()
    const options = { prompt, tokens: 50, generator: randomGenerator(0) }
    let made = 0
    for await (const _ of generate(model, options)) if (++made === 5) break
    expect(liveBytes()).toBe(before)
    const throwing = async () => {
      for await (const _ of generate(model, options)) throw new Error('enough')
    }
    await expect(throwing()).rejects.toThrow('enough')
    expect(liveBytes()).toBe(before)
  })

  it('holds nothing when a layer fails on the way', async () => {
    const model = make([
      (context) => {
        const layer = convolution()(context)
        const broken = { steps: 0 }
        return {
          ...layer,
          step(x, state) {
            if (++broken.steps === 3) throw new Error('broken layer')
            return layer.step(x, state)
          },
        }
      },
    ])
    const before = liveBytes()
    await expect(tokensOf(model)).rejects.toThrow('broken layer')
    expect(liveBytes()).toBe(before)
  })

  it('refuses bad options at the call', () => {
    const model = make()
    const options = { prompt, tokens: 1, generator: randomGenerator(0) }
    const bad: [Partial<GenerateOptions>, string][] = [
      [{ prompt: [] }, 'generate: prompt is empty but must have at least one token'],
      [{ prompt: [0, 6] }, 'generate: prompt has token 6 but ids must be integers in [0, 6)'],
      [{ prompt: [-1] }, 'prompt has token -1'],
      [{ prompt: [0.5] }, 'prompt has token 0.5'],
      [{ tokens: -1 }, 'generate: tokens is -1 but must be a non-negative integer'],
      [{ tokens: Number.POSITIVE_INFINITY }, 'tokens is Infinity'],
      [{ temperature: -0.1 }, 'generate: temperature is -0.1 but must be a finite number, 0 or more'],
      [{ temperature: Number.NaN }, 'temperature is NaN'],
      [{ temperature: Number.POSITIVE_INFINITY }, 'temperature is Infinity'],
      [{ topK: 0 }, 'generate: topK is 0 but must be a positive integer'],
      [{ topP: 0 }, 'generate: topP is 0 but must be in (0, 1]'],
      [{ topP: 1.1 }, 'generate: topP is 1.1'],
    ]
    for (const [change, message] of bad) expect(() => generate(model, { ...options, ...change })).toThrow(message)
  })
})

describe('sampleToken', () => {
  const logitLists = fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 1, maxLength: 6 })

  const softmax = (logits: readonly number[], temperature: number) => {
    const weights = logits.map((logit) => Math.exp(logit / temperature))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    return weights.map((weight) => weight / total)
  }

  /** Share of each id in many draws. */
  const sharesOf = (draws: number, length: number, draw: () => number) => {
    const counts = new Array<number>(length).fill(0)
    for (let i = 0; i < draws; i++) counts[draw()]++
    return counts.map((count) => count / draws)
  }

  it('draws with the frequencies of the softmax at the temperature', () => {
    fc.assert(
      fc.property(logitLists, fc.constantFrom(0.5, 1, 2), seeds, (logits, temperature, seed) => {
        const draws = 4000
        const generator = randomGenerator(seed)
        const shares = sharesOf(draws, logits.length, () => sampleToken(logits, generator, { temperature }))
        for (const [id, p] of softmax(logits, temperature).entries()) {
          expect(Math.abs(shares[id] - p)).toBeLessThan(6 * Math.sqrt((p * (1 - p)) / draws) + 2 / draws)
        }
      }),
      { numRuns: 30, seed: 1 },
    )
  })

  it('draws among the k most likely, and among the fewest that reach p, in their proportions', () => {
    const logits = [0.1, 0.4, 0.2, 0.3].map(Math.log)
    const draws = 20_000
    const near = (shares: readonly number[], want: readonly number[]) => {
      for (const [id, p] of want.entries()) expect(Math.abs(shares[id] - p)).toBeLessThan(0.02)
    }
    const sharesWith = (options: { topK?: number; topP?: number }) => {
      const generator = randomGenerator(3)
      return sharesOf(draws, 4, () => sampleToken(logits, generator, options))
    }
    near(sharesWith({ topK: 2 }), [0, 4 / 7, 0, 3 / 7])
    near(sharesWith({ topP: 0.65 }), [0, 4 / 7, 0, 3 / 7])
    near(sharesWith({ topP: 0.75 }), [0, 4 / 9, 2 / 9, 3 / 9])
    expect(sharesWith({ topK: 2 })[0]).toBe(0)
    expect(sharesWith({ topP: 0.65 })[2]).toBe(0)
    // p counts within what topK leaves: 4/7 of the two most likely is the first
    expect(sharesWith({ topK: 2, topP: 0.5 })).toEqual([0, 1, 0, 0])
  })

  it('never draws outside topK, nor an id with a logit of −∞', () => {
    fc.assert(
      fc.property(logitLists, fc.integer({ min: 1, max: 6 }), seeds, (logits, topK, seed) => {
        const masked = [...logits, Number.NEGATIVE_INFINITY]
        const allowed = [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b).slice(0, topK)
        const generator = randomGenerator(seed)
        for (let i = 0; i < 20; i++) expect(allowed).toContain(sampleToken(masked, generator, { topK }))
      }),
    )
  })

  it('takes the lower id of two equal ones at temperature 0, however large the logits', () => {
    expect(sampleToken([1, 1e30, 1e30], randomGenerator(0), { temperature: 0 })).toBe(1)
    expect(sampleToken([1, 1e30], randomGenerator(0), { temperature: 1e-300 })).toBe(1)
  })

  it('refuses logits with a NaN', () => {
    expect(() => sampleToken([0, Number.NaN], randomGenerator(0))).toThrow('logit 1 is NaN')
    expect(() => sampleToken([], randomGenerator(0))).toThrow('logits is empty')
  })
})
