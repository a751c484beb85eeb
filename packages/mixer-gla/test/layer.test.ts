import {
  concat,
  randomGenerator,
  randomNormal,
  repeat,
  reshape,
  slice,
  type Tensor,
  useExecutor,
  zeros,
} from '@mixtape/autodiff'
import { wasm } from '@mixtape/autodiff/wasm'
import { GatedLinearAttention, type GlaOptions, HGRN2Attention } from '@mixtape/mixer-gla'
import type { LayerContext, LayerState, SequenceLayer } from '@mixtape/nn'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'

beforeAll(async () => {
  await useExecutor(wasm())
})

const width = 16

function context(seed: string = 'layer'): LayerContext {
  return { width, generator: randomGenerator(seed), layerIndex: 0, layerCount: 1, normEpsilon: 1e-6 }
}

/** Gives every parameter values large enough for all parts of the layer to matter. */
function lively<L extends SequenceLayer>(layer: L): L {
  for (const [name, parameter] of Object.entries(layer.parameters())) {
    parameter.value = randomNormal(randomGenerator(name), parameter.value.shape, { deviation: 0.4, mean: 0.1 })
  }
  return layer
}

async function expectClose(actual: Tensor, expected: Tensor): Promise<void> {
  expect(actual.shape).toEqual(expected.shape)
  const [a, b] = [await actual.data(), await expected.data()]
  const scale = Float64Array.from(b, Math.abs).reduce((most, value) => Math.max(most, value), 1)
  a.forEach((value, i) => {
    expect(Math.abs(value - b[i])).toBeLessThanOrEqual(1e-5 * scale)
  })
}

const options: fc.Arbitrary<GlaOptions> = fc.record({
  heads: fc.constantFrom(1, 2, 4),
  keyValueHeads: fc.constantFrom(1, undefined),
  convolution: fc.constantFrom(0, 1, 4),
  outputGate: fc.boolean(),
  clampMin: fc.constantFrom(undefined, -0.05),
})

describe('the GLA layer', () => {
  it('gives the same numbers whole, cut anywhere and token by token', async () => {
    await fc.assert(
      fc.asyncProperty(options, fc.integer({ min: 1, max: 9 }), fc.nat(), async (chosen, time, choice) => {
        const layer = lively(new GatedLinearAttention(context(), chosen))
        const x = randomNormal(randomGenerator(time), [2, time, width])
        const whole = layer.forward(x)
        const cut = choice % (time + 1)
        const first = layer.forward(slice(x, { axis: 1, end: cut }))
        const second = layer.forward(slice(x, { axis: 1, start: cut }), { state: first.state })
        await expectClose(concat([first.output, second.output], { axis: 1 }), whole.output)
        let state: LayerState = layer.initialState(2)
        for (let t = 0; t < time; t++) {
          const result = layer.step(reshape(slice(x, { axis: 1, start: t, end: t + 1 }), [2, width]), state)
          state = result.state
          const expected = reshape(slice(whole.output, { axis: 1, start: t, end: t + 1 }), [2, width])
          await expectClose(result.output, expected)
        }
      }),
      { numRuns: 25 },
    )
  })

  it('with shared key-value heads equals the layer whose weights are repeated', async () => {
    const shared = lively(new GatedLinearAttention(context(), { heads: 4, keyValueHeads: 2 }))
    const full = new GatedLinearAttention(context(), { heads: 4 })
    const target = full.parameters()
    for (const [name, { value }] of Object.entries(shared.parameters())) {
      const grouped = value.shape[0] !== target[name].value.shape[0]
      if (!grouped) target[name].value = randomNormal(randomGenerator(name), value.shape, { deviation: 0.4, mean: 0.1 })
      else {
        const perHead = reshape(value, [2, value.shape[0] / 2, ...value.shape.slice(1)])
        target[name].value = reshape(repeat(perHead, { axis: 0, count: 2 }), target[name].value.shape)
      }
    }
    const x = randomNormal(randomGenerator(3), [2, 6, width])
    await expectClose(shared.forward(x).output, full.forward(x).output)
  })

  it("names its parameters as flash-linear-attention's layer does", () => {
    const layer = new GatedLinearAttention(context(), { convolution: 4 })
    expect(Object.keys(layer.parameters()).sort()).toEqual(
      [
        ...['q_proj.weight', 'k_proj.weight', 'v_proj.weight', 'g_proj.weight', 'o_proj.weight'],
        ...['q_conv1d.weight', 'k_conv1d.weight', 'v_conv1d.weight'],
        ...['gk_proj.0.weight', 'gk_proj.1.weight', 'gk_proj.1.bias', 'g_norm_swish_gate.weight'],
      ].sort(),
    )
  })

  it('refuses heads that do not divide and states of another layer', () => {
    expect(() => new GatedLinearAttention(context(), { heads: 3 })).toThrow(/^gla: heads is 3 but must/)
    expect(() => new GatedLinearAttention(context(), { heads: 4, keyValueHeads: 3 })).toThrow(/keyValueHeads is 3/)
    const layer = new GatedLinearAttention(context(), { convolution: 4 })
    const x = zeros([1, 2, width])
    expect(() => layer.forward(x, { state: { S: zeros([1, 4, 2, 4]) } })).toThrow(/^gla: state must be one/)
    const upstream = { ...Object(layer.initialState(1)), S: zeros([1, 4, 4, 2]) }
    expect(() => layer.forward(x, { state: upstream })).toThrow(/^gla: state S has shape \[1, 4, 4, 2\] but must/)
  })
})

describe('the HGRN2 layer', () => {
  it('gives the same numbers whole and token by token', async () => {
    const layer = lively(new HGRN2Attention(context(), { heads: 2 }))
    const x = randomNormal(randomGenerator(1), [2, 7, width])
    const whole = layer.forward(x)
    let state: LayerState = layer.initialState(2)
    for (let t = 0; t < 7; t++) {
      const result = layer.step(reshape(slice(x, { axis: 1, start: t, end: t + 1 }), [2, width]), state)
      state = result.state
      await expectClose(result.output, reshape(slice(whole.output, { axis: 1, start: t, end: t + 1 }), [2, width]))
    }
  })
})
