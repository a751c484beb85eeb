import { add, exp, expandAxis, matmul, mul, type Named, squeeze, type Tensor } from '@mixtape/autodiff'

export type GlaInput = 'q' | 'k' | 'v' | 'g'
export type GlaState = 'S'

/**
 * One step of gated linear attention (arXiv 2312.06635): q, k, g [B, H, K], v [B, H, V], S [B, H, K, V] → o [B, H, V].
 *
 *     S_t[k, v] = exp(g_t[k])·S_{t−1}[k, v] + k_t[k]·v_t[v]
 *     o_t[v]    = scale·Σ_k q_t[k]·S_t[k, v]
 */
export function glaStep({ q, k, v, g }: Named<GlaInput>, S: Tensor, scale: number): { o: Tensor; S: Tensor } {
  const decayed = mul(expandAxis(exp(g), -1), S)
  const next = add(decayed, mul(expandAxis(k, -1), expandAxis(v, -2))) // [B, H, K, V]
  const o = matmul(expandAxis(mul(q, scale), -2), next) // [B, H, 1, V]
  return { o: squeeze(o, -2), S: next }
}
