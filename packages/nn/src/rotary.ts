import { add, concat, mul, slice, sub, type Tensor, tensor } from '@mixtape/autodiff'

/**
 * Rotary position embedding (arXiv 2104.09864) with half-split pairs: channels i and i + K/2 turn by
 * t·base^(−2i/K). x [B, T, H, K] at positions `offset`, `offset` + 1, … → [B, T, H, K].
 * @throws RangeError when K is odd.
 */
export function rotary(x: Tensor, offset: number, base: number = 10000): Tensor {
  const [, time, , keyDim] = x.shape
  if (keyDim % 2 !== 0) throw new RangeError(`rotary: key dim is ${keyDim} but must be even`)
  const half = keyDim / 2
  const cosines = new Float64Array(time * half)
  const sines = new Float64Array(time * half)
  for (let t = 0; t < time; t++) {
    for (let i = 0; i < half; i++) {
      const angle = (offset + t) * base ** ((-2 * i) / keyDim)
      cosines[t * half + i] = Math.cos(angle)
      sines[t * half + i] = Math.sin(angle)
    }
  }
  const cos = tensor(cosines, { shape: [time, 1, half], dtype: x.dtype })
  const sin = tensor(sines, { shape: [time, 1, half], dtype: x.dtype })
  const first = slice(x, { axis: 3, start: 0, end: half })
  const second = slice(x, { axis: 3, start: half, end: keyDim })
  return concat([sub(mul(first, cos), mul(second, sin)), add(mul(second, cos), mul(first, sin))], { axis: 3 })
}
