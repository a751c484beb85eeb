/** The quantile of an order in [0, 1], interpolated between neighbours. @throws RangeError when there are no values. */
export function quantile(values: readonly number[], order: number): number {
  if (values.length === 0) throw new RangeError('quantile: values is empty')
  const sorted = values.toSorted((a, b) => a - b)
  const place = order * (sorted.length - 1)
  const below = Math.floor(place)
  const above = Math.ceil(place)
  return sorted[below] + (place - below) * (sorted[above] - sorted[below])
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}
