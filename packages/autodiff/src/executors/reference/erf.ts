/**
 * The error function to double precision: its Maclaurin-type series erf(x) = 2/√π · e^(−x²) Σ 2ⁿ x^(2n+1)/(2n+1)!!
 * (all terms positive, so nothing cancels) below 3, and the continued fraction of erfc above (DLMF 7.6.2, 7.9.1).
 */
export function erf(x: number): number {
  const magnitude = Math.abs(x)
  if (Number.isNaN(x)) return x
  if (magnitude > 6) return Math.sign(x)
  return magnitude < 3 ? series(x) : Math.sign(x) * (1 - complement(magnitude))
}

function series(x: number): number {
  let term = x
  let total = x
  for (let n = 1; Math.abs(term) > Math.abs(total) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    total += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total
}

function complement(x: number): number {
  let fraction = x
  for (let n = 60; n >= 1; n--) fraction = x + n / 2 / fraction
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction)
}
