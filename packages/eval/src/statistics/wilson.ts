import { checkCount } from '../tasks/check.ts'
import type { Interval } from './interval.ts'

/** 0.975 quantile of the standard normal distribution. */
const Z = 1.959963984540054

/**
 * Wilson's 95 % score interval of a probability, from `successes` in `trials` (Wilson 1927): for accuracies over labelled
 * items and for solve rates over seeds.
 *
 * @throws RangeError when trials is no positive integer or successes is not an integer in [0, trials]
 */
export function wilsonInterval(successes: number, trials: number): Interval {
  checkCount('wilsonInterval', 'trials', trials, 1)
  if (!Number.isInteger(successes) || successes < 0 || successes > trials) {
    throw new RangeError(`wilsonInterval: successes is ${successes} but must be an integer in [0, ${trials}]`)
  }
  const share = successes / trials
  const shrink = 1 + Z ** 2 / trials
  const centre = (share + Z ** 2 / (2 * trials)) / shrink
  const half = (Z / shrink) * Math.sqrt((share * (1 - share)) / trials + (Z / (2 * trials)) ** 2)
  return {
    low: successes === 0 ? 0 : centre - half,
    high: successes === trials ? 1 : centre + half,
  }
}
