import { reference, reshape, tensor, useExecutor } from '@mixtape/autodiff'
import { checkGradient } from '@mixtape/autodiff/testing'
import { rotary } from '@mixtape/nn'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { expectClose, random, read, seeds } from './support.ts'

beforeAll(async () => {
  await useExecutor(reference(), { dtype: 'float64' })
})

const positions = fc.nat({ max: 500 })
const keyDims = fc.integer({ min: 1, max: 5 }).map((half) => 2 * half)
const runs = { numRuns: 40 }

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0)

describe('rotary', () => {
  it('turns channels i and i + K/2 by t·base^(−2i/K)', async () => {
    const x = random([2, 3, 2, 4], 1)
    const values = await read(x)
    const want = values.map((value, at) => {
      const t = 7 + (Math.floor(at / 8) % 3)
      const channel = at % 4
      const angle = t * 100 ** (-(channel % 2) / 2)
      const partner = channel < 2 ? -values[at + 2] : values[at - 2]
      return value * Math.cos(angle) + partner * Math.sin(angle)
    })
    expectClose(await read(rotary(x, 7, 100)), want)
  })

  it('leaves products depending on the distance alone', async () => {
    await fc.assert(
      fc.asyncProperty(positions, positions, positions, keyDims, seeds, async (at, distance, shift, keyDim, seed) => {
        const place = (name: string, position: number) => read(rotary(random([1, 1, 1, keyDim], name), position))
        const product = async (to: number) => dot(await place(`q${seed}`, to + distance), await place(`k${seed}`, to))
        expectClose([await product(at)], [await product(at + shift)], 1e-10)
      }),
      runs,
    )
  })

  it('keeps the norm of every pair', async () => {
    await fc.assert(
      fc.asyncProperty(positions, keyDims, seeds, async (offset, keyDim, seed) => {
        const x = random([1, 3, 2, keyDim], seed)
        const half = keyDim / 2
        const norms = (values: readonly number[]) =>
          values.flatMap((value, at) => (at % keyDim < half ? [Math.hypot(value, values[at + half])] : []))
        expectClose(norms(await read(rotary(x, offset))), norms(await read(x)))
      }),
      runs,
    )
  })

  it('begins at the offset: a whole turned at once is its pieces turned one by one', async () => {
    const x = random([5, 2, 4], 3)
    const whole = await read(rotary(reshape(x, [1, 5, 2, 4]), 11))
    const values = await read(x)
    for (let t = 0; t < 5; t++) {
      const piece = tensor(values.slice(t * 8, (t + 1) * 8))
      expect(await read(rotary(reshape(piece, [1, 1, 2, 4]), 11 + t))).toEqual(whole.slice(t * 8, (t + 1) * 8))
    }
  })

  it('does nothing at position 0', async () => {
    const x = random([3, 1, 2, 6], 3)
    expect(await read(rotary(x, 0))).toEqual(await read(x))
  })

  it('has the gradient of central differences', async () => {
    await checkGradient((x) => rotary(x, 5), [random([2, 3, 2, 4], 9)])
  })

  it('refuses an odd key dim and other ranks', () => {
    expect(() => rotary(random([1, 1, 1, 3], 0), 0)).toThrow('key dim is 3 but must be even')
    expect(() => rotary(random([1, 1, 4], 0), 0)).toThrow('[1, 1, 4] but must be [B, T, H, K]')
  })
})
