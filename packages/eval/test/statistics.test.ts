import { type Generator, randomGenerator } from '@mixtape/autodiff'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pairedBootstrap } from '../src/statistics/bootstrap.ts'
import { median, quantile } from '../src/statistics/quantile.ts'
import { meanInterval, studentQuantile } from '../src/statistics/student.ts'
import { wilsonInterval } from '../src/statistics/wilson.ts'

/** Share of `runs` in which the interval holds the truth. */
function coverage(runs: number, holds: () => boolean): number {
  let held = 0
  for (let run = 0; run < runs; run++) if (holds()) held++
  return held / runs
}

const numbers = (minLength: number) =>
  fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength, maxLength: 30 })

const normals = (generator: Generator, count: number) => Array.from({ length: count }, () => generator.normal())

describe('the Wilson interval', () => {
  it('has the values of scipy.stats.binomtest', () => {
    const known = [
      [0, 10, 0, 0.27753279986288926],
      [3, 10, 0.10779126740630102, 0.6032218525388546],
      [10, 10, 0.7224672001371109, 1],
      [81, 263, 0.2552885198782742, 0.36620957698280004],
      [1, 1, 0.20654931437723745, 1],
    ]
    for (const [successes, trials, low, high] of known) {
      const interval = wilsonInterval(successes, trials)
      expect(interval.low).toBeCloseTo(low, 12)
      expect(interval.high).toBeCloseTo(high, 12)
    }
  })

  it('lies in [0, 1], holds the share, and mirrors when successes and failures change places', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 0, max: 1, noNaN: true }), (trials, share) => {
        const successes = Math.round(share * trials)
        const { low, high } = wilsonInterval(successes, trials)
        expect(low >= 0 && high <= 1 && low < high).toBe(true)
        expect(low <= successes / trials && successes / trials <= high).toBe(true)
        const mirrored = wilsonInterval(trials - successes, trials)
        expect(mirrored.low).toBeCloseTo(1 - high, 9)
        expect(mirrored.high).toBeCloseTo(1 - low, 9)
      }),
    )
  })

  it('holds the true probability in about 95 % of experiments', () => {
    for (const [probability, trials] of [
      [0.5, 40],
      [0.1, 60],
      [0.97, 200],
    ]) {
      const generator = randomGenerator(`wilson ${probability}`)
      const share = coverage(3000, () => {
        let successes = 0
        for (let trial = 0; trial < trials; trial++) if (generator.uniform() < probability) successes++
        const { low, high } = wilsonInterval(successes, trials)
        return low <= probability && probability <= high
      })
      expect(share).toBeGreaterThan(0.92)
      expect(share).toBeLessThan(0.98)
    }
  })

  it('refuses counts that are none', () => {
    expect(() => wilsonInterval(0, 0)).toThrow(/wilsonInterval: trials is 0 /)
    expect(() => wilsonInterval(4, 3)).toThrow(/wilsonInterval: successes is 4 but must be an integer in \[0, 3\]/)
    expect(() => wilsonInterval(0.5, 3)).toThrow(/wilsonInterval: successes is 0.5 /)
  })
})

describe('the mean interval', () => {
  it('uses the quantiles of scipy.stats.t', () => {
    const known: Readonly<Record<number, number>> = {
      1: 12.706204736174694,
      2: 4.302652729749462,
      3: 3.1824463052837078,
      4: 2.7764451051977934,
      5: 2.5705818356363146,
      9: 2.262157162798205,
      10: 2.2281388519862744,
      29: 2.045229642132703,
      30: 2.0422724563012378,
      100: 1.9839715185235518,
      1000: 1.9623390808264083,
    }
    for (const [degrees, quantile] of Object.entries(known)) {
      expect(studentQuantile(Number(degrees))).toBeCloseTo(quantile, 9)
    }
  })

  it('of 1, 2, 3 is 2 ± 4.3027/√3', () => {
    const { mean, low, high } = meanInterval([1, 2, 3])
    expect(mean).toBe(2)
    expect(low).toBeCloseTo(2 - 4.302652729749462 / Math.sqrt(3), 10)
    expect(high).toBeCloseTo(2 + 4.302652729749462 / Math.sqrt(3), 10)
  })

  it('moves and stretches with the values', () => {
    fc.assert(
      fc.property(
        numbers(2),
        fc.integer({ min: -100, max: 100 }),
        fc.integer({ min: 1, max: 9 }),
        (values, by, factor) => {
          const plain = meanInterval(values)
          const moved = meanInterval(values.map((value) => factor * value + by))
          const spread = 1e-9 * (1 + Math.max(...values.map(Math.abs)) * factor + Math.abs(by))
          for (const part of ['mean', 'low', 'high'] as const) {
            expect(Math.abs(moved[part] - (factor * plain[part] + by))).toBeLessThan(spread)
          }
        },
      ),
    )
  })

  it('holds the true mean in about 95 % of experiments, for few values too', () => {
    for (const count of [2, 3, 5, 20]) {
      const generator = randomGenerator(`student ${count}`)
      const share = coverage(4000, () => {
        const { low, high } = meanInterval(normals(generator, count))
        return low <= 0 && 0 <= high
      })
      expect(share).toBeGreaterThan(0.935)
      expect(share).toBeLessThan(0.965)
    }
  })

  it('refuses a single value and failed runs', () => {
    expect(() => meanInterval([1])).toThrow(/meanInterval: got 1 values but needs at least 2/)
    expect(() => meanInterval([1, Number.NaN])).toThrow(/meanInterval: a value is NaN but all must be finite/)
    expect(() => studentQuantile(0)).toThrow(/studentQuantile: degrees is 0 /)
  })
})

describe('the median', () => {
  it('of known values', () => {
    expect(median([3])).toBe(3)
    expect(median([10, 9, 2])).toBe(9)
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(median([1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])).toBe(Number.POSITIVE_INFINITY)
  })

  it('has as many values on either side, in any order', () => {
    fc.assert(
      fc.property(numbers(1), (values) => {
        const middle = median(values)
        expect(values.filter((value) => value < middle).length).toBeLessThanOrEqual(values.length / 2)
        expect(values.filter((value) => value > middle).length).toBeLessThanOrEqual(values.length / 2)
        expect(median(values.toReversed())).toBe(middle)
      }),
    )
  })

  it('refuses no values and NaN', () => {
    expect(() => median([])).toThrow(/values is empty/)
    expect(() => median([1, Number.NaN, 2])).toThrow(/a value is NaN/)
  })

  it('is one of the quantiles, which run from least to greatest', () => {
    fc.assert(
      fc.property(numbers(1), (values) => {
        expect([quantile(values, 0), quantile(values, 1)]).toEqual([Math.min(...values), Math.max(...values)])
        expect(quantile(values, 0.2)).toBeLessThanOrEqual(quantile(values, 0.8))
      }),
    )
    expect(quantile([0, 10, 20, 30, 40], 0.1)).toBe(4)
    expect(() => quantile([1], 1.5)).toThrow(/probability is 1.5 but must be in \[0, 1\]/)
  })
})

describe('the paired bootstrap', () => {
  const scores = numbers(1)
  const resamples = 200

  it('depends on the seed alone', () => {
    fc.assert(
      fc.property(scores, fc.nat(), (values, seed) => {
        const interval = () =>
          pairedBootstrap(values, values.toReversed(), { generator: randomGenerator(seed), resamples })
        expect(interval()).toEqual(interval())
      }),
    )
  })

  it('sees only differences: what all sequences share makes no width', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 30 }), (values) => {
        const better = values.map((value) => value + 3)
        const found = pairedBootstrap(better, values, { generator: randomGenerator(0), resamples })
        expect(found).toEqual({ difference: 3, low: 3, high: 3 })
      }),
    )
  })

  it('weighs sequences by their items', () => {
    const { difference } = pairedBootstrap([1, 0], [0, 0], { generator: randomGenerator(0), items: [3, 1], resamples })
    expect(difference).toBe(0.75)
    fc.assert(
      fc.property(scores, (values) => {
        const zeros = values.map(() => 0)
        const options = () => ({ generator: randomGenerator(1), resamples })
        const plain = pairedBootstrap(values, zeros, options())
        const weighted = pairedBootstrap(values, zeros, { ...options(), items: values.map(() => 2) })
        for (const part of ['difference', 'low', 'high'] as const) {
          expect(weighted[part]).toBeCloseTo(plain[part], 6)
        }
      }),
    )
  })

  it('has the width of a normal interval on many sequences', () => {
    const generator = randomGenerator('width')
    const first = normals(generator, 1000)
    const { difference, low, high } = pairedBootstrap(first, normals(generator, 1000), { generator })
    expect(difference).toBeGreaterThan(low)
    expect(difference).toBeLessThan(high)
    expect((high - low) / (2 * 1.96 * Math.sqrt(2 / 1000))).toBeCloseTo(1, 1)
  })

  it('holds the true difference in about 95 % of experiments', () => {
    const generator = randomGenerator('bootstrap')
    const share = coverage(500, () => {
      const shared = normals(generator, 50)
      const first = shared.map((value) => value + 0.2 + generator.normal())
      const second = shared.map((value) => value + generator.normal())
      const { low, high } = pairedBootstrap(first, second, { generator, resamples: 400 })
      return low <= 0.2 && 0.2 <= high
    })
    expect(share).toBeGreaterThan(0.9)
    expect(share).toBeLessThan(0.98)
  })

  it('refuses scores that do not belong together, naming them', () => {
    const generator = randomGenerator(0)
    expect(() => pairedBootstrap([], [], { generator })).toThrow(/first is empty/)
    expect(() => pairedBootstrap([1, 2], [1], { generator })).toThrow(/second has 1 entries but first has 2/)
    expect(() => pairedBootstrap([1], [1], { generator, items: [1, 2] })).toThrow(/items has 2 entries/)
    expect(() => pairedBootstrap([1], [Number.NaN], { generator })).toThrow(/a score of second is NaN/)
    expect(() => pairedBootstrap([1], [1], { generator, items: [0] })).toThrow(/a number of items is 0 /)
    expect(() => pairedBootstrap([1], [1], { generator, resamples: 0 })).toThrow(/resamples is 0 /)
  })
})
