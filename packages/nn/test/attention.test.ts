import {
  concat,
  type Executor,
  randomGenerator,
  reference,
  slice,
  Tensor,
  tensor,
  useExecutor,
} from '@mixtape/autodiff'
import { checkGradient } from '@mixtape/autodiff/testing'
import { wasm } from '@mixtape/autodiff/wasm'
import { type AttentionOptions, type LayerState, SoftmaxAttention } from '@mixtape/nn'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { expectClose, random, randomize, read, seeds } from './support.ts'

const runs = { numRuns: 30 }

function make(width: number, seed: number, options: AttentionOptions): SoftmaxAttention {
  const context = { width, generator: randomGenerator(seed), layerIndex: 0, layerCount: 1, normEpsilon: 1e-6 }
  const layer = new SoftmaxAttention(context, options)
  randomize(layer, seed)
  return layer
}

interface Case {
  readonly options: AttentionOptions
  readonly width: number
  readonly batch: number
  readonly time: number
  readonly seed: number
}

const windows = fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined })
const cases: fc.Arbitrary<Case> = fc
  .record({
    heads: fc.integer({ min: 1, max: 3 }),
    half: fc.integer({ min: 1, max: 3 }),
    window: windows,
    rotary: fc.boolean(),
    batch: fc.integer({ min: 1, max: 3 }),
    time: fc.integer({ min: 1, max: 9 }),
    seed: seeds,
  })
  .map(({ heads, half, window, rotary, batch, time, seed }) => {
    return { options: { heads, window, rotary }, width: heads * half * 2, batch, time, seed }
  })

/** Runs `forward` on the pieces between the cuts, with the state carried. */
function inPieces(layer: SoftmaxAttention, x: Tensor, cuts: readonly number[]): { output: Tensor; state: LayerState } {
  let state: LayerState = layer.initialState(x.shape[0])
  const edges = [0, ...cuts, x.shape[1]]
  const outputs = edges.slice(1).map((end, piece) => {
    const result = layer.forward(slice(x, { axis: 1, start: edges[piece], end }), { state })
    state = result.state
    return result.output
  })
  return { output: concat(outputs, { axis: 1 }), state }
}

describe('attention in float64', () => {
  beforeAll(async () => {
    await useExecutor(reference(), { dtype: 'float64' })
  })

  it('weighs values by the softmax of scaled products: a case by hand', async () => {
    const layer = make(2, 0, { heads: 1, rotary: false })
    for (const parameter of Object.values(layer.parameters())) {
      parameter.value = tensor([
        [1, 0],
        [0, 1],
      ])
    }
    const { output } = layer.forward(
      tensor([
        [
          [1, 0],
          [0, 1],
        ],
      ]),
    )
    const first = 1 / (1 + Math.exp(Math.SQRT1_2))
    expectClose(await read(output), [1, 0, first, 1 - first])
  })

  it('is the formula, written as loops, for all heads and windows', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ options, width, batch, time, seed }) => {
        const layer = make(width, seed, { ...options, rotary: false })
        const x = random([batch, time, width], seed)
        const weights = await Promise.all(
          [layer.query, layer.key, layer.value, layer.output].map(({ weight }) => read(weight.value)),
        )
        const want = byLoops(await read(x), weights, { options, width, batch, time, seed })
        expectClose(await read(layer.forward(x).output), want)
      }),
      runs,
    )
  })

  it('sees with rotary only how far tokens are apart', async () => {
    const layer = make(8, 1, { heads: 2 })
    const x = random([2, 5, 8], 1)
    const late = { ...layer.initialState(2), position: 1234 }
    expectClose(await read(layer.forward(x, { state: late }).output), await read(layer.forward(x).output), 1e-10)
    const blind = make(8, 1, { heads: 2, rotary: false })
    expect(await read(blind.forward(x).output)).not.toEqual(await read(layer.forward(x).output))
  })

  it('gives the same cut anywhere, with the state carried, and the same state', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.array(fc.nat({ max: 9 }), { maxLength: 4 }), async (test, at) => {
        const layer = make(test.width, test.seed, test.options)
        const x = random([test.batch, test.time, test.width], test.seed)
        const cuts = at.map((cut) => Math.min(cut, test.time)).sort((a, b) => a - b)
        const whole = layer.forward(x)
        const pieces = inPieces(layer, x, cuts)
        expectClose(await read(pieces.output), await read(whole.output))
        const [cut, uncut] = [pieces.state, whole.state].map(asCache)
        expect(cut.position).toBe(uncut.position)
        expect(cut.keys.shape).toEqual(uncut.keys.shape)
        expectClose(await read(cut.keys), await read(uncut.keys))
        expectClose(await read(cut.values), await read(uncut.values))
      }),
      runs,
    )
  })

  it('gives token by token what it gives at once', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ options, width, batch, time, seed }) => {
        const layer = make(width, seed, options)
        const x = random([batch, time, width], seed)
        const whole = layer.forward(x).output
        let state: LayerState = layer.initialState(batch)
        for (let t = 0; t < time; t++) {
          const token = (y: Tensor) => read(slice(y, { axis: 1, start: t, end: t + 1 }))
          const result = layer.step(tensor(await token(x), { shape: [batch, width] }), state)
          expect(result.output.shape).toEqual([batch, width])
          expectClose(await read(result.output), await token(whole))
          state = result.state
        }
      }),
      runs,
    )
  })

  it('a window as long as the sequence changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.nat({ max: 3 }), async ({ options, width, batch, time, seed }, more) => {
        const x = random([batch, time, width], seed)
        const windowed = make(width, seed, { ...options, window: time + more }).forward(x).output
        const full = make(width, seed, { ...options, window: undefined }).forward(x).output
        expect(await read(windowed)).toEqual(await read(full))
      }),
      runs,
    )
  })

  it('keeps no more than the keys that the next token sees', () => {
    const layer = make(4, 0, { heads: 1, window: 3 })
    let state: LayerState = layer.initialState(1)
    for (let t = 1; t <= 6; t++) {
      state = layer.step(random([1, 4], t), state).state
      expect(asCache(state).keys.shape).toEqual([1, Math.min(t, 2), 1, 4])
      expect(asCache(state).values.shape).toEqual([1, Math.min(t, 2), 1, 4])
    }
    expect(asCache(make(4, 0, { window: 1, heads: 1 }).forward(random([1, 5, 4], 0)).state).keys.size).toBe(0)
  })

  it('takes sequences of no tokens', async () => {
    const layer = make(4, 0, { heads: 2 })
    const nothing = random([2, 0, 4], 0)
    const { output, state } = layer.forward(nothing)
    expect(output.shape).toEqual([2, 0, 4])
    expect(asCache(state).position).toBe(0)
    const seen = layer.forward(random([2, 3, 4], 0)).state
    const after = layer.forward(nothing, { state: seen })
    expect(after.output.shape).toEqual([2, 0, 4])
    expect(await read(asCache(after.state).keys)).toEqual(await read(asCache(seen).keys))
  })

  it('has the gradient of central differences, through a carried state too', async () => {
    for (const window of [undefined, 2]) {
      const layer = make(4, 3, { heads: 2, window })
      const continued = (x: Tensor, past: Tensor) => layer.forward(x, { state: layer.forward(past).state }).output
      await checkGradient(continued, [random([2, 3, 4], 1), random([2, 2, 4], 2)])
    }
  })

  it('refuses options, inputs and states that do not fit', () => {
    expect(() => make(6, 0, { heads: 4 })).toThrow('heads is 4 but must divide the width 6')
    expect(() => make(6, 0, { heads: 2 })).toThrow('3 channels a head are odd')
    expect(() => make(6, 0, { heads: 3, window: 0 })).toThrow('window is 0 but must be a positive integer')
    expect(() => make(6, 0, { heads: 3, window: 1.5 })).toThrow('window is 1.5')
    const layer = make(4, 0, { heads: 2 })
    expect(() => layer.forward(random([2, 4], 0))).toThrow('attention: x has shape [2, 4] but must be [B, T, 4]')
    expect(() => layer.forward(random([1, 2, 6], 0))).toThrow('must be [B, T, 4]')
    const x = random([1, 2, 4], 0)
    expect(() => layer.forward(x, { state: [] })).toThrow('attention: state must be one that this layer returned')
    expect(() => layer.forward(x, { state: x })).toThrow('attention: state must be one that this layer returned')
    expect(() => layer.forward(x, { state: layer.initialState(2) })).toThrow('both must be [1, S, 2, 2]')
    expect(() => layer.step(random([1, 4], 0), make(8, 0, { heads: 2 }).initialState(1))).toThrow('[1, S, 2, 2]')
  })
})

const executors: Record<string, () => Promise<Executor>> = { reference: async () => reference(), wasm }

describe.each(Object.entries(executors))('attention in float32 on %s', (_, executor) => {
  beforeAll(async () => {
    await useExecutor(executor())
  })

  it('gives the past to the bit the same, whatever comes after', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(), async ({ options, width, batch, time, seed }, cut) => {
        const layer = make(width, seed, options)
        const kept = cut % (time + 1)
        const past = (y: Tensor) => slice(y, { axis: 1, end: kept })
        const x = random([batch, time, width], seed)
        const changed = concat([past(x), random([batch, time - kept, width], `${seed} other`)], { axis: 1 })
        expect(await read(past(layer.forward(changed).output))).toEqual(await read(past(layer.forward(x).output)))
      }),
      runs,
    )
  })

  it('keeps a NaN within its sequence', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ options, width, time, seed }) => {
        const layer = make(width, seed, options)
        const values = await read(random([3, time, width], seed))
        const row = time * width
        const before = await read(layer.forward(tensor(values, { shape: [3, time, width] })).output)
        const broken = tensor(values.with(row, Number.NaN), { shape: [3, time, width] })
        const after = await read(layer.forward(broken).output)
        expect(after.slice(0, row)).toEqual(before.slice(0, row))
        expect(after.slice(2 * row)).toEqual(before.slice(2 * row))
        expect(after[row]).toBeNaN()
      }),
      runs,
    )
  })
})

function asCache(state: LayerState): { keys: Tensor; values: Tensor; position: number } {
  if (typeof state === 'object' && 'keys' in state && 'values' in state && 'position' in state) {
    const { keys, values, position } = state
    if (keys instanceof Tensor && values instanceof Tensor && typeof position === 'number') {
      return { keys, values, position }
    }
  }
  throw new TypeError('attention must give { keys, values, position }')
}

function byLoops(x: readonly number[], weights: readonly (readonly number[])[], test: Case): number[] {
  const { options, width, batch, time } = test
  const { heads = 1, window = Number.POSITIVE_INFINITY } = options
  const keyDim = width / heads
  const project = (weight: readonly number[], row: readonly number[]) =>
    row.map((_, out) => row.reduce((sum, value, i) => sum + weight[out * width + i] * value, 0))
  const output: number[] = []
  for (let b = 0; b < batch; b++) {
    const rows = Array.from({ length: time }, (_, t) => x.slice((b * time + t) * width, (b * time + t + 1) * width))
    const [q, k, v] = weights.map((weight) => rows.map((row) => project(weight, row)))
    for (let t = 0; t < time; t++) {
      const mixed = new Array<number>(width).fill(0)
      for (let h = 0; h < heads; h++) {
        const channels = Array.from({ length: keyDim }, (_, i) => h * keyDim + i)
        const from = Math.max(0, t - window + 1)
        const scores = k.slice(from, t + 1).map((key) => {
          return Math.exp(channels.reduce((sum, i) => sum + q[t][i] * key[i], 0) / Math.sqrt(keyDim))
        })
        const total = scores.reduce((sum, score) => sum + score, 0)
        for (const i of channels) mixed[i] = scores.reduce((sum, score, j) => sum + (score / total) * v[from + j][i], 0)
      }
      output.push(...project(weights[3], mixed))
    }
  }
  return output
}
