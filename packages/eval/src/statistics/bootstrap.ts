import type { Generator } from '@mixtape/autodiff'
import { checkCount } from '../tasks/check.ts'
import type { Interval } from './interval.ts'
import { quantile } from './quantile.ts'

export interface DifferenceInterval extends Interval {
  readonly difference: number
}

export interface BootstrapOptions {
  /** Seeded source of the resamples. */
  readonly generator: Generator
  /** Labelled items of each sequence, where they differ: the weights of its scores. Default: all alike. */
  readonly items?: readonly number[]
  /** Default 10 000. */
  readonly resamples?: number
}

/**
 * Difference of two mean scores on a common test set, `first` − `second`, with the 95 % percentile interval of the paired
 * bootstrap: whole sequences are drawn with replacement, the same for both, because tokens of a sequence are not
 * independent.
 *
 * @param first mean score of one model on each sequence
 * @param second the other model's, in the same order
 * @throws RangeError when the lists differ in length or are empty, a score is not finite, or items or resamples are not
 *   positive integers
 */
export function pairedBootstrap(
  first: readonly number[],
  second: readonly number[],
  { generator, items, resamples = 10_000 }: BootstrapOptions,
): DifferenceInterval {
  const sequences = first.length
  check(first, second, items, resamples)
  const weights = Float64Array.from(first, (_, i) => items?.[i] ?? 1)
  const gains = weights.map((weight, i) => weight * (first[i] - second[i]))
  const differences = Float64Array.from({ length: resamples }, () => {
    let [gain, weight] = [0, 0]
    for (let draw = 0; draw < sequences; draw++) {
      const i = generator.integer(sequences)
      gain += gains[i]
      weight += weights[i]
    }
    return gain / weight
  })
  return {
    difference: total(gains) / total(weights),
    low: quantile(differences, 0.025),
    high: quantile(differences, 0.975),
  }
}

function total(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function check(
  first: readonly number[],
  second: readonly number[],
  items: readonly number[] | undefined,
  resamples: number,
): void {
  if (first.length === 0) throw new RangeError('pairedBootstrap: first is empty but must have at least one score')
  for (const [name, values] of Object.entries({ second, items: items ?? first })) {
    if (values.length === first.length) continue
    throw new RangeError(`pairedBootstrap: ${name} has ${values.length} entries but first has ${first.length}`)
  }
  for (const [name, values] of Object.entries({ first, second })) {
    const odd = values.find((value) => !Number.isFinite(value))
    if (odd !== undefined) throw new RangeError(`pairedBootstrap: a score of ${name} is ${odd} but all must be finite`)
  }
  for (const count of items ?? []) checkCount('pairedBootstrap', 'a number of items', count, 1)
  checkCount('pairedBootstrap', 'resamples', resamples, 1)
}
