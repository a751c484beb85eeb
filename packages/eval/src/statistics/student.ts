import { checkCount } from '../tasks/check.ts'
import type { Interval } from './interval.ts'

export interface MeanInterval extends Interval {
  readonly mean: number
}

/**
 * Mean with Student's 95 % interval, n − 1 degrees of freedom.
 *
 * @throws RangeError for fewer than two values, or when one is not finite: a failed run has no place in a mean
 */
export function meanInterval(values: readonly number[]): MeanInterval {
  if (values.length < 2) throw new RangeError(`meanInterval: got ${values.length} values but needs at least 2`)
  const odd = values.find((value) => !Number.isFinite(value))
  if (odd !== undefined) throw new RangeError(`meanInterval: a value is ${odd} but all must be finite`)
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
  const half = studentQuantile(values.length - 1) * Math.sqrt(variance / values.length)
  return { mean, low: mean - half, high: mean + half }
}

/**
 * 0.975 quantile of Student's t distribution.
 *
 * @throws RangeError when `degrees` is no positive integer
 */
export function studentQuantile(degrees: number): number {
  checkCount('studentQuantile', 'degrees', degrees, 1)
  let [low, high] = [1.9, 13] // normal and Cauchy quantiles lie between
  for (let i = 0; i < 60; i++) {
    const t = (low + high) / 2
    if (centralProbability(t, degrees) < 0.95) low = t
    else high = t
  }
  return (low + high) / 2
}

/** P(|t| < x) in closed form: Abramowitz and Stegun 26.7.3 (odd degrees) and 26.7.4 (even degrees). */
function centralProbability(x: number, degrees: number): number {
  const angle = Math.atan(x / Math.sqrt(degrees))
  const cosine2 = Math.cos(angle) ** 2
  const odd = degrees % 2 === 1
  let term = odd ? Math.cos(angle) : 1
  let series = degrees === 1 ? 0 : term
  for (let j = odd ? 3 : 2; j < degrees; j += 2) {
    term *= ((j - 1) / j) * cosine2
    series += term
  }
  return odd ? (2 / Math.PI) * (angle + Math.sin(angle) * series) : Math.sin(angle) * series
}
