import { reference, useExecutor } from '@mixtape/autodiff'
import { attention, countParameters, languageModel, swigluWidth } from '@mixtape/nn'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { attentionFlopPerToken, budgets, flopEstimate, recurrenceFlopPerToken } from '../src/tasks/budget.ts'
import { byteLanguageModelPresets, mqarPresets } from '../src/tasks/presets.ts'
import type { Preset } from '../src/tasks/task.ts'

interface Sizes {
  readonly vocabulary: number
  readonly width: number
  readonly layers: number
}

/** All weights of a language model but its embedding table, with four D × D projections per mixer. */
function weights({ vocabulary, width, layers }: Sizes): number {
  const block = 4 * width ** 2 + 3 * width * swigluWidth(width, 32) + 2 * width
  return layers * block + width + width * vocabulary
}

const presets: readonly { vocabulary: number; preset: Preset<{ length: number; batchSize: number }> }[] = [
  ...mqarPresets.map((preset) => ({ vocabulary: preset.task.vocabulary, preset })),
  ...byteLanguageModelPresets.map((preset) => ({ vocabulary: 256, preset })),
]

function cost(vocabulary: number, { task, model, training }: Preset<{ length: number; batchSize: number }>) {
  const { width, layers, heads } = model
  const tokens = training.steps * task.batchSize * task.length
  const dims = width / heads
  const mixers = [
    attentionFlopPerToken({ length: task.length, width }),
    recurrenceFlopPerToken({ heads, keyDim: dims, valueDim: dims }),
  ]
  const mixerFlopPerToken = layers * Math.max(...mixers)
  return flopEstimate({ weights: weights({ vocabulary, width, layers }), tokens, mixerFlopPerToken })
}

describe('the budget of', () => {
  beforeAll(async () => {
    await useExecutor(reference())
  })

  for (const { vocabulary, preset } of presets) {
    it(`${preset.id} (${preset.level}) holds`, () => {
      expect(cost(vocabulary, preset)).toBeLessThanOrEqual(budgets[preset.level].most)
    })
  }

  it('the small presets is near the figures of evaluation spec §2 and §7', () => {
    const published = { 'mqar-a': 4e10, 'mqar-b': 1.3e11, 'bytes-small': 5e11 }
    for (const [id, flop] of Object.entries(published)) {
      const found = presets.filter(({ preset }) => preset.id === id)
      expect(found.length).toBe(1)
      for (const { vocabulary, preset } of found) {
        const ratio = cost(vocabulary, preset) / flop
        expect(ratio).toBeGreaterThan(0.5)
        expect(ratio).toBeLessThan(2)
      }
    }
  })

  it('MQAR A is what small runs aim at', () => {
    for (const { vocabulary, preset } of presets) {
      if (preset.id === 'mqar-a') expect(cost(vocabulary, preset)).toBeLessThanOrEqual(budgets.small.aim)
    }
  })

  it('a model counts the weights that the model has, but its embedding table', () => {
    for (const sizes of [
      { vocabulary: 32, width: 16, layers: 1 },
      { vocabulary: 64, width: 32, layers: 2 },
    ]) {
      const { vocabulary, width, layers } = sizes
      const model = languageModel({ vocabulary, width, layers: new Array(layers).fill(attention({ heads: 2 })) })
      expect(weights(sizes)).toBe(countParameters(model) - vocabulary * width)
    }
  })
})

describe('a preset', () => {
  it('has a name of its own and heads that divide its width', () => {
    expect(new Set(presets.map(({ preset }) => preset.id)).size).toBe(presets.length)
    for (const { model } of presets.map(({ preset }) => preset)) expect(model.width % model.heads).toBe(0)
  })

  it('asks at least 2000 labelled items in a small test set, so that ±2 points are visible', () => {
    for (const { task, level } of mqarPresets) {
      if (level === 'small') expect((task.evaluationSequences ?? 1024) * task.pairs).toBeGreaterThanOrEqual(2000)
    }
  })
})

describe('the FLOP estimate', () => {
  const size = fc.integer({ min: 0, max: 1e6 })
  it('is 6·P·tokens plus three times the mixers', () => {
    fc.assert(
      fc.property(size, size, size, (parameters, tokens, mixerFlopPerToken) => {
        const plain = flopEstimate({ weights: parameters, tokens })
        expect(plain).toBe(6 * parameters * tokens)
        const whole = flopEstimate({ weights: parameters, tokens, mixerFlopPerToken })
        expect(whole).toBe(plain + 3 * mixerFlopPerToken * tokens)
      }),
    )
  })

  it('counts the multiplications and additions of attention and of a recurrence', () => {
    let attended = 0
    for (let t = 0; t < 7; t++) for (let s = 0; s <= t; s++) attended += 2 * 12 + 2 * 12
    expect(7 * attentionFlopPerToken({ length: 7, width: 12 })).toBe(attended)
    expect(recurrenceFlopPerToken({ heads: 2, keyDim: 3, valueDim: 4 })).toBe(5 * 24)
  })

  it('names what is bad', () => {
    expect(() => flopEstimate({ weights: -1, tokens: 1 })).toThrow(/flopEstimate: weights is -1 /)
    expect(() => flopEstimate({ weights: 1, tokens: Number.NaN })).toThrow(/flopEstimate: tokens is NaN /)
  })
})
