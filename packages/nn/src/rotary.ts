import { add, flip, formatShape, mul, reshape, type Tensor, tensor } from '@mixtape/autodiff'

/**
 * Rotary position embedding (arXiv 2104.09864) with half-split pairs: channels i and i + K/2 turn by
 * t·base^(−2i/K). x [B, T, H, K] at positions `offset`, `offset` + 1, … → [B, T, H, K].
 * @throws RangeError when x has not four axes or K is odd.
 */
export function rotary(x: Tensor, offset: number, base: number = 10000): Tensor {
  const [batch, time, heads, keyDim] = x.shape
  if (x.rank !== 4) throw new RangeError(`rotary: x has shape ${formatShape(x.shape)} but must be [B, T, H, K]`)
  if (keyDim % 2 !== 0) throw new RangeError(`rotary: key dim is ${keyDim} but must be even`)
  const { cosines, sines } = tables({ time, heads, keyDim, offset, base })
  const table = (values: Float64Array) => tensor(values, { shape: [time, heads, keyDim], dtype: x.dtype })
  const halves = [batch, time, heads, 2, keyDim / 2]
  const swapped = reshape(flip(reshape(x, halves), { axes: 3 }), x.shape)
  return add(mul(x, table(cosines)), mul(swapped, table(sines)))
}

interface TableOptions {
  readonly time: number
  readonly heads: number
  readonly keyDim: number
  readonly offset: number
  readonly base: number
}

/** Factors of each channel and of its partner, both [T, H, K]: repeated over heads, so that they broadcast over B alone. */
function tables(options: TableOptions): { readonly cosines: Float64Array; readonly sines: Float64Array } {
  const { time, heads, keyDim, offset, base } = options
  const half = keyDim / 2
  const frequencies = Array.from({ length: half }, (_, i) => base ** ((-2 * i) / keyDim))
  const cosines = new Float64Array(time * heads * keyDim)
  const sines = new Float64Array(time * heads * keyDim)
  for (let t = 0; t < time; t++) {
    const row = t * heads * keyDim
    for (let i = 0; i < half; i++) {
      const angle = (offset + t) * frequencies[i]
      cosines[row + i] = cosines[row + half + i] = Math.cos(angle)
      sines[row + half + i] = Math.sin(angle)
      sines[row + i] = -sines[row + half + i]
    }
    for (const factors of [cosines, sines]) {
      for (let h = 1; h < heads; h++) factors.copyWithin(row + h * keyDim, row, row + keyDim)
    }
  }
  return { cosines, sines }
}
