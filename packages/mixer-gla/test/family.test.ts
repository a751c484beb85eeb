import {
  broadcastTo,
  expandAxis,
  mul,
  type Named,
  ones,
  randomGenerator,
  randomNormal,
  reference,
  type Tensor,
  tensor,
  useExecutor,
} from '@mixtape/autodiff'
import {
  type GlaInput,
  glaMixer,
  identityFeatures,
  lightningDecay,
  linearAttentionMixer,
  retentionDecay,
  retentionMixer,
  simpleGlaMixer,
} from '@mixtape/mixer-gla'
import { beforeAll, describe, expect, it } from 'vitest'

beforeAll(async () => {
  await useExecutor(reference(), { dtype: 'float64' })
})

const shape = { k: [2, 9, 3, 4], v: [2, 9, 3, 5] }

function draw(): Named<GlaInput> {
  const random = (name: string, extents: readonly number[]) => randomNormal(randomGenerator(name), extents)
  return {
    q: random('q', shape.k),
    k: random('k', shape.k),
    v: random('v', shape.v),
    g: mul(random('g', shape.k.slice(0, 3)), random('g', shape.k.slice(0, 3))),
  }
}

async function expectClose(actual: Tensor, expected: Tensor): Promise<void> {
  const [a, b] = [await actual.data(), await expected.data()]
  a.forEach((value, i) => {
    expect(value).toBeCloseTo(b[i], 10)
  })
}

describe('the family', () => {
  it('simple GLA is GLA with the gate repeated over key channels', async () => {
    const inputs = draw()
    const g = mul(inputs.g, -1)
    const wide = broadcastTo(expandAxis(g, -1), shape.k)
    const simple = simpleGlaMixer().chunked({ ...inputs, g }, undefined, { chunkSize: 4 })
    await expectClose(simple.output, glaMixer().recurrent({ ...inputs, g: wide }).output)
  })

  it('retention is simple GLA with the same decay at every step', async () => {
    const inputs = draw()
    const g = tensor(retentionDecay(3))
    const fixed = retentionMixer().chunked({ ...inputs, g }, undefined, { chunkSize: 4 })
    const repeated = broadcastTo(g, [2, 9, 3])
    await expectClose(fixed.output, simpleGlaMixer().recurrent({ ...inputs, g: repeated }).output)
  })

  it('normalised linear attention of constant values gives that constant', async () => {
    const { q, k } = draw()
    const { output } = linearAttentionMixer({ normalize: true }).chunked({ q, k, v: ones(shape.v) })
    for (const value of await output.data()) expect(value).toBeCloseTo(1, 8)
  })

  it('refuses to divide by weights that can be negative', () => {
    expect(() => linearAttentionMixer({ featureMap: identityFeatures, normalize: true })).toThrow(/can be negative/)
  })

  it("decays as the papers' code does", () => {
    expect(retentionDecay(2)).toEqual([Math.log1p(-(2 ** -5)), Math.log1p(-(2 ** -6))])
    expect(lightningDecay(8, 0, 2)[0]).toBeCloseTo(-0.5 * (1 + 1e-5), 12)
    expect(lightningDecay(6, 1, 2)).toHaveLength(6)
    expect(lightningDecay(4, 0, 1)).toEqual([0.25, 0.0625, 0.015625, 0.00390625].map((s) => -s * (1 + 1e-5)))
  })
})
