import { concat, randomGenerator, reference, slice, type Tensor, tensor, useExecutor } from '@mixtape/autodiff'
import { checkGradient } from '@mixtape/autodiff/testing'
import { ShortConvolution, type ShortConvolutionOptions } from '@mixtape/nn'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { expectClose, random, randomize, read, seeds } from './support.ts'

beforeAll(async () => {
  await useExecutor(reference(), { dtype: 'float64' })
})

const cases = fc.record({
  batch: fc.integer({ min: 1, max: 3 }),
  time: fc.integer({ min: 0, max: 8 }),
  channels: fc.integer({ min: 1, max: 4 }),
  width: fc.integer({ min: 1, max: 5 }),
  bias: fc.boolean(),
  activation: fc.constantFrom('silu' as const, 'none' as const),
  seed: seeds,
})
const runs = { numRuns: 60 }

function make(channels: number, seed: number, options: ShortConvolutionOptions): ShortConvolution {
  const layer = new ShortConvolution(channels, randomGenerator(seed), options)
  randomize(layer, seed)
  return layer
}

const silu = (x: number) => x / (1 + Math.exp(-x))

describe('ShortConvolution', () => {
  it('is Σ_j w[c, 0, j]·x_{t−W+1+j} + b after the inputs in its state, then SiLU', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ batch, time, channels, width, bias, activation, seed }) => {
        const layer = make(channels, seed, { width, bias, activation })
        const x = random([batch, time, channels], seed)
        const state = random([batch, channels, width], `${seed} state`)
        const [inputs, past, weight] = await Promise.all([x, state, layer.weight.value].map(read))
        const offset = layer.bias === undefined ? [] : await read(layer.bias.value)
        const at = (b: number, t: number, c: number) =>
          t < 0 ? past[(b * channels + c) * width + width + t] : inputs[(b * time + t) * channels + c]
        const want = inputs.map((_, index) => {
          const c = index % channels
          const t = Math.floor(index / channels) % time
          const b = Math.floor(index / channels / time)
          let sum = offset[c] ?? 0
          for (let j = 0; j < width; j++) sum += weight[c * width + j] * at(b, t - width + 1 + j, c)
          return activation === 'silu' ? silu(sum) : sum
        })
        expectClose(await read(layer.forward(x, { state }).output), want)
      }),
      runs,
    )
  })

  it('keeps the last W inputs as [B, channels, W], newest last', async () => {
    const layer = make(2, 0, { width: 3 })
    const { state } = layer.forward(tensor([1, 10, 2, 20, 3, 30, 4, 40], { shape: [1, 4, 2] }))
    expect(state.shape).toEqual([1, 2, 3])
    expect(await read(state)).toEqual([2, 3, 4, 20, 30, 40])
    const short = layer.forward(tensor([1, 10], { shape: [1, 1, 2] }))
    expect(await read(short.state)).toEqual([0, 0, 1, 0, 0, 10])
  })

  it('gives the same cut anywhere, with the state carried', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(), async ({ batch, time, channels, width, bias, activation, seed }, at) => {
        const layer = make(channels, seed, { width, bias, activation })
        const x = random([batch, time, channels], seed)
        const cut = at % (time + 1)
        const whole = layer.forward(x)
        const head = layer.forward(slice(x, { axis: 1, end: cut }))
        const tail = layer.forward(slice(x, { axis: 1, start: cut }), { state: head.state })
        expectClose(await read(concat([head.output, tail.output], { axis: 1 })), await read(whole.output))
        expect(await read(tail.state)).toEqual(await read(whole.state))
      }),
      runs,
    )
  })

  it('gives token by token what it gives at once', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ batch, time, channels, width, bias, activation, seed }) => {
        const layer = make(channels, seed, { width, bias, activation })
        const x = random([batch, time, channels], seed)
        const whole = layer.forward(x)
        let state = layer.initialState(batch)
        for (let t = 0; t < time; t++) {
          const token = (y: Tensor) => read(slice(y, { axis: 1, start: t, end: t + 1 }))
          const result = layer.step(tensor(await token(x), { shape: [batch, channels] }), state)
          expect(result.output.shape).toEqual([batch, channels])
          expectClose(await read(result.output), await token(whole.output))
          state = result.state
        }
        expect(await read(state)).toEqual(await read(whole.state))
      }),
      runs,
    )
  })

  it('has the gradient of central differences with respect to input and state', async () => {
    const layer = make(2, 3, { width: 3, bias: true })
    const both = (x: Tensor, past: Tensor) => {
      const result = layer.forward(x, { state: past })
      return concat([result.output, layer.forward(x, { state: result.state }).output], { axis: 1 })
    }
    await checkGradient(both, [random([2, 2, 2], 1), random([2, 2, 3], 2)])
  })

  it('names its parameters as flash-linear-attention does', () => {
    const shapes = Object.entries(make(3, 0, { bias: true }).parameters()).map(([name, { value }]) => [
      name,
      value.shape,
    ])
    expect(shapes).toEqual([
      ['weight', [3, 1, 4]],
      ['bias', [3]],
    ])
  })

  it('refuses sizes, inputs and states that do not fit', () => {
    expect(() => make(2, 0, { width: 0 })).toThrow('ShortConvolution: width is 0 but must be a positive integer')
    expect(() => make(1.5, 0, {})).toThrow('channels is 1.5')
    const layer = make(2, 0, {})
    expect(() => layer.forward(random([2, 3], 0))).toThrow('x has shape [2, 3] but must be [B, T, 2]')
    expect(() => layer.step(random([2, 3], 0), layer.initialState(2))).toThrow('x has shape [2, 3] but must be [B, 2]')
    expect(() => layer.forward(random([1, 3, 2], 0), { state: layer.initialState(2) })).toThrow(
      'state has shape [2, 2, 4] but must be [1, 2, 4]',
    )
    expect(() => layer.step(random([1, 2], 0), random([1, 2, 3], 0))).toThrow('state has shape [1, 2, 3]')
  })
})
