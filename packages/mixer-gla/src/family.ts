import {
  add,
  broadcastTo,
  concat,
  defineMixer,
  div,
  expandAxis,
  type Mixer,
  type Named,
  ones,
  slice,
  squeeze,
  type Tensor,
  zeros,
} from '@mixtape/autodiff'
import { glaChunked } from './chunked.ts'
import { elu1, type FeatureMap } from './feature-map.ts'
import { axisTitles, type GlaMixerOptions, gatedMixer, keyed, valued } from './mixer.ts'
import { type GlaInput, type GlaState, glaStep } from './recurrent.ts'

/**
 * Scalar data-dependent gate, also the recurrence of Mamba-2 (arXiv 2405.21060): {@link glaMixer} with g [B, T, H],
 * the same for every key channel.
 */
export function simpleGlaMixer(options: GlaMixerOptions = {}): Mixer<GlaInput, GlaState> {
  return gatedMixer('simpleGla', { axes: ['B', 'T', 'H'], values: 'logGate' }, options, gateOfHead)
}

/**
 * Fixed decay per head: {@link glaMixer} with g [H], the logarithm of the decay. RetNet with {@link retentionDecay},
 * Lightning Attention with {@link lightningDecay} and scale 1.
 */
export function retentionMixer(options: GlaMixerOptions = {}): Mixer<GlaInput, GlaState> {
  return gatedMixer('retention', { axes: ['H'], values: 'logGate' }, options, gateOfHead)
}

/** RetNet's log decays (arXiv 2307.08621): log(1 − 2^(−5−h)) for head h. */
export function retentionDecay(heads: number): number[] {
  return Array.from({ length: heads }, (_, h) => Math.log1p(-(2 ** (-5 - h))))
}

/**
 * Log decays of Lightning Attention in TransNormerLLM (arXiv 2401.04658, 2307.14995): −s_h·(1 − l/(L − 1) + 10⁻⁵) for
 * layer l of L, with ALiBi's slopes s_h.
 */
export function lightningDecay(heads: number, layer: number, layers: number): number[] {
  const factor = 1 - (layers > 1 ? layer / (layers - 1) : 0) + 1e-5
  return alibiSlopes(heads).map((slope) => -slope * factor)
}

export interface LinearAttentionOptions {
  /** Default {@link elu1}. */
  readonly featureMap?: FeatureMap
  /** The map of queries, where it is another. Default: `featureMap`. */
  readonly queryMap?: FeatureMap
  /** Divide by the sum of weights φ(q)·Σφ(k); the map must not be negative. Default false. */
  readonly normalize?: boolean
  /** Default F^(−1/2), F the width of the features. */
  readonly scale?: number
}

/**
 * Linear attention (arXiv 2006.16236) on φ(q), φ(k): q, k [B, T, H, K], v [B, T, H, V], state S [B, H, F, V] and, when
 * normalised, z [B, H, F]: `o_t = scale·φ(q_t)ᵀS_t / (scale·φ(q_t)·z_t + 10⁻¹⁰)`.
 * @throws RangeError when normalising a feature map that can be negative.
 */
export function linearAttentionMixer(options: LinearAttentionOptions = {}): Mixer<'q' | 'k' | 'v', 'S' | 'z'> {
  const { featureMap = elu1, queryMap = featureMap, normalize = false, scale } = options
  const signed = [featureMap, queryMap].find((map) => !map.positive)
  if (normalize && signed !== undefined) {
    throw new RangeError(`linearAttention: featureMap ${signed.name} can be negative and must not be normalised`)
  }
  type Inputs = Named<'q' | 'k' | 'v'>
  const around = (
    { q, k, v }: Inputs,
    { S, z }: Named<'S' | 'z'>,
    run: (inputs: Named<GlaInput>, S: Tensor, scale: number) => { o: Tensor; S: Tensor },
  ) => {
    const features = featureMap.apply(k)
    const { dtype, executor } = q
    const g = zeros(features.shape, { dtype, executor })
    const factor = scale ?? featureMap.width(q.shape[q.rank - 1]) ** -0.5
    const queries = queryMap.apply(q)
    if (!normalize) {
      const result = run({ q: queries, k: features, v, g }, S, factor)
      return { output: result.o, state: { S: result.S, z } }
    }
    const one = ones(v.shape.with(-1, 1), { dtype, executor })
    const wide = { q: queries, k: features, v: concat([v, one], { axis: -1 }), g } // column V sums the weights
    const result = run(wide, concat([S, expandAxis(z, -1)], { axis: -1 }), factor)
    const [numerator, denominator] = lastColumn(result.o)
    const [next, sums] = lastColumn(result.S)
    return { output: div(numerator, add(denominator, 1e-10)), state: { S: next, z: squeeze(sums, -1) } }
  }
  return defineMixer<'q' | 'k' | 'v', 'S' | 'z'>({
    name: 'linearAttention',
    inputs: {
      q: { axes: keyed, values: 'real' },
      k: { axes: keyed, values: 'real' },
      v: { axes: valued, values: 'real' },
    },
    output: valued,
    state: { S: ['B', 'H', 'F', 'V'], z: ['B', 'H', 'F'] },
    scanned: 'T',
    axisTitles,
    derive: ({ K }) => ({ F: featureMap.width(K) }),
    chunkSize: 64,
    step: (inputs, state) => around(inputs, state, glaStep),
    chunked: (inputs, state, chunkSize) =>
      around(inputs, state, (gated, S, factor) => glaChunked(gated, S, factor, chunkSize)),
  })
}

/** One decay for all key channels of a head: g without the last axis, and with or without the leading ones. */
function gateOfHead({ k, g }: Named<GlaInput>): Tensor {
  return broadcastTo(expandAxis(g, -1), k.shape)
}

/** All columns but the last, and the last. */
function lastColumn(x: Tensor): [Tensor, Tensor] {
  const columns = x.shape[x.rank - 1]
  return [slice(x, { axis: -1, end: columns - 1 }), slice(x, { axis: -1, start: columns - 1 })]
}

/** 2^(−8(h+1)/H) for H a power of two; otherwise those of the power below, then every other one of the power above. */
function alibiSlopes(heads: number): number[] {
  const below = 2 ** Math.floor(Math.log2(heads))
  const regular = (count: number) => Array.from({ length: count }, (_, h) => 2 ** ((-8 * (h + 1)) / count))
  if (below === heads) return regular(heads)
  const between = regular(2 * below).filter((_, h) => h % 2 === 0)
  return [...regular(below), ...between.slice(0, heads - below)]
}
