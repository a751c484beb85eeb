/** The middle value, or the mean of the two middle ones. @throws RangeError when there are none or one is NaN */
export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5)
}

/**
 * The value at `probability` of the way through the sorted values, linear between neighbours.
 *
 * @throws RangeError when there are no values, one is NaN, or the probability is outside [0, 1]
 */
export function quantile(values: ArrayLike<number>, probability: number): number {
  if (values.length === 0) throw new RangeError('quantile: values is empty but must have at least one value')
  if (!(probability >= 0 && probability <= 1)) {
    throw new RangeError(`quantile: probability is ${probability} but must be in [0, 1]`)
  }
  const sorted = Float64Array.from(values).sort()
  if (Number.isNaN(sorted[sorted.length - 1])) throw new RangeError('quantile: a value is NaN but all must be numbers')
  const place = probability * (sorted.length - 1)
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]]
  return below === above ? below : below + (place - Math.floor(place)) * (above - below)
}
