import { randomGenerator, reference, tensor, useExecutor } from '@mixtape/autodiff'
import { checkGradient } from '@mixtape/autodiff/testing'
import { countParameters, Embedding, GeluMLP, LayerNorm, Linear, RMSNorm, SwiGLU, swigluWidth } from '@mixtape/nn'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { expectClose, random, randomize, read, seeds } from './support.ts'

beforeAll(async () => {
  await useExecutor(reference(), { dtype: 'float64' })
})

const extents = fc.integer({ min: 1, max: 5 })
const leads = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 })
const runs = { numRuns: 30 }
const generator = randomGenerator(1)

/** Rows of `width` values. */
function rowsOf(values: readonly number[], width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width))
}

/** `W x + b` with W [outputs, inputs] row-major. */
function affine(weight: readonly number[], bias: readonly number[] | undefined, x: readonly number[]): number[] {
  return rowsOf(weight, x.length).map((row, out) => row.reduce((sum, w, i) => sum + w * x[i], bias?.[out] ?? 0))
}

/** erf by its Maclaurin series, exact to rounding for small arguments. */
function erf(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; n < 60; n++) {
    term *= -(x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

describe('Linear', () => {
  it('is x Wᵀ + b over the last axis, whatever the axes before', async () => {
    await fc.assert(
      fc.asyncProperty(leads, extents, extents, fc.boolean(), seeds, async (lead, inputs, outputs, bias, seed) => {
        const layer = new Linear(inputs, outputs, generator, { bias })
        randomize(layer, seed)
        const x = random([...lead, inputs], seed)
        const y = layer.forward(x)
        expect(y.shape).toEqual([...lead, outputs])
        const weight = await read(layer.weight.value)
        const offset = layer.bias === undefined ? undefined : await read(layer.bias.value)
        const want = rowsOf(await read(x), inputs).flatMap((row) => affine(weight, offset, row))
        expectClose(await read(y), want)
      }),
      runs,
    )
  })

  it('names its parameters as PyTorch does and has a bias only when asked', () => {
    expect(Object.keys(new Linear(2, 3, generator, { bias: true }).parameters())).toEqual(['weight', 'bias'])
    expect(Object.keys(new Linear(2, 3, generator).parameters())).toEqual(['weight'])
    expect(countParameters(new Linear(2, 3, generator, { bias: true }))).toBe(9)
  })

  it('starts with weights of the given deviation', async () => {
    const weights = await read(new Linear(100, 100, randomGenerator(2), { deviation: 0.5 }).weight.value)
    const deviation = Math.sqrt(weights.reduce((sum, w) => sum + w * w, 0) / weights.length)
    expect(deviation).toBeGreaterThan(0.48)
    expect(deviation).toBeLessThan(0.52)
  })

  it('refuses an input of another width', () => {
    expect(() => new Linear(3, 2, generator).forward(random([4, 2], 0))).toThrow(
      'Linear: x has shape [4, 2] but its last axis must be 3',
    )
    expect(() => new Linear(3, 2, generator).forward(tensor(1))).toThrow('its last axis must be 3')
  })
})

describe('Embedding', () => {
  it('gives the rows of its table', async () => {
    const layer = new Embedding(5, 3, generator)
    const rows = rowsOf(await read(layer.weight.value), 3)
    const y = layer.forward(tensor([[4, 0, 4]], { dtype: 'int32' }))
    expect(y.shape).toEqual([1, 3, 3])
    expect(await read(y)).toEqual([...rows[4], ...rows[0], ...rows[4]])
  })

  it('refuses ids outside the vocabulary', () => {
    expect(() => new Embedding(5, 3, generator).forward(tensor([5], { dtype: 'int32' }))).toThrow('[0, 5)')
  })
})

describe('norms', () => {
  it('RMSNorm is x / sqrt(mean(x²) + ε) · w', async () => {
    await fc.assert(
      fc.asyncProperty(leads, extents, fc.constantFrom(1e-6, 1e-5, 0.1), seeds, async (lead, width, epsilon, seed) => {
        const norm = new RMSNorm(width, { epsilon })
        randomize(norm, seed)
        const x = random([...lead, width], seed)
        const weight = await read(norm.weight.value)
        const want = rowsOf(await read(x), width).flatMap((row) => {
          const square = row.reduce((sum, value) => sum + value * value, 0) / width
          return row.map((value, i) => (value / Math.sqrt(square + epsilon)) * weight[i])
        })
        expectClose(await read(norm.forward(x)), want)
      }),
      runs,
    )
  })

  it('LayerNorm is (x − mean) / sqrt(var + ε) · w + b', async () => {
    await fc.assert(
      fc.asyncProperty(leads, extents, fc.boolean(), seeds, async (lead, width, bias, seed) => {
        const norm = new LayerNorm(width, { epsilon: 1e-3, bias })
        randomize(norm, seed)
        const x = random([...lead, width], seed)
        const weight = await read(norm.weight.value)
        const offset = norm.bias === undefined ? new Array(width).fill(0) : await read(norm.bias.value)
        const want = rowsOf(await read(x), width).flatMap((row) => {
          const mean = row.reduce((sum, value) => sum + value, 0) / width
          const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width
          return row.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-3)) * weight[i] + offset[i])
        })
        expectClose(await read(norm.forward(x)), want)
      }),
      runs,
    )
  })

  it('start as the identity on normed rows', async () => {
    expectClose(await read(new RMSNorm(4, { epsilon: 0 }).forward(tensor([1, -1, 1, -1]))), [1, -1, 1, -1])
    expectClose(await read(new LayerNorm(4, { epsilon: 0 }).forward(tensor([1, -1, 1, -1]))), [1, -1, 1, -1])
  })
})

describe('feed-forward networks', () => {
  it('SwiGLU is down(silu(gate(x)) ⊙ up(x))', async () => {
    const mlp = new SwiGLU(3, 5, generator)
    randomize(mlp, 1)
    expect(Object.keys(mlp.parameters())).toEqual(['gate_proj.weight', 'up_proj.weight', 'down_proj.weight'])
    const [gate, up, down] = await Promise.all([mlp.gate, mlp.up, mlp.down].map(({ weight }) => read(weight.value)))
    const x = random([2, 2, 3], 2)
    const want = rowsOf(await read(x), 3).flatMap((row) => {
      const raised = affine(up, undefined, row)
      const inner = affine(gate, undefined, row).map((value, i) => (value / (1 + Math.exp(-value))) * raised[i])
      return affine(down, undefined, inner)
    })
    expectClose(await read(mlp.forward(x)), want)
    await checkGradient((y) => mlp.forward(y), [x])
  })

  it('GeluMLP is down(gelu(up(x))) with the exact gelu', async () => {
    const mlp = new GeluMLP(3, 5, generator)
    randomize(mlp, 1)
    const names = ['up_proj.weight', 'up_proj.bias', 'down_proj.weight', 'down_proj.bias']
    expect(Object.keys(mlp.parameters())).toEqual(names)
    const [up, upBias, down, downBias] = await Promise.all(names.map((name) => read(mlp.parameters()[name].value)))
    const x = random([4, 3], 2)
    const want = rowsOf(await read(x), 3).flatMap((row) => {
      const inner = affine(up, upBias, row).map((value) => 0.5 * value * (1 + erf(value / Math.SQRT2)))
      return affine(down, downBias, inner)
    })
    expectClose(await read(mlp.forward(x)), want)
    await checkGradient((y) => mlp.forward(y), [x])
  })

  it('swigluWidth is ⌊8/3·D⌋ rounded up to the multiple', () => {
    expect(swigluWidth(64, 32)).toBe(192)
    expect(swigluWidth(96, 32)).toBe(256)
    expect(swigluWidth(1024)).toBe(2816)
  })
})
