import { defineMixer, type Mixer } from '@mixtape/autodiff'
import { glaChunked } from './chunked.ts'
import { type GlaInput, type GlaState, glaStep } from './recurrent.ts'

export interface GlaMixerOptions {
  /** Factor of the queries. Default K^(−1/2). */
  readonly scale?: number
}

/** What axes are called in messages. */
export const axisTitles: Readonly<Record<string, string>> = {
  B: 'batch',
  T: 'time',
  H: 'heads',
  K: 'key dim',
  V: 'value dim',
}
export const keyed: readonly string[] = ['B', 'T', 'H', 'K']
export const valued: readonly string[] = ['B', 'T', 'H', 'V']

/**
 * The recurrence of gated linear attention (arXiv 2312.06635, equations GLA-1 to GLA-3): inputs q, k, g [B, T, H, K]
 * and v [B, T, H, V], state S [B, H, K, V], output [B, T, H, V]. g is the logarithm of the decay, normally at most 0;
 * −∞ forgets a key row entirely.
 */
export function glaMixer({ scale }: GlaMixerOptions = {}): Mixer<GlaInput, GlaState> {
  const factor = (keyDim: number) => scale ?? keyDim ** -0.5
  return defineMixer<GlaInput, GlaState>({
    name: 'gla',
    inputs: {
      q: { axes: keyed, values: 'real' },
      k: { axes: keyed, values: 'real' },
      v: { axes: valued, values: 'real' },
      g: { axes: keyed, values: 'logGate' },
    },
    output: valued,
    state: { S: ['B', 'H', 'K', 'V'] },
    scanned: 'T',
    axisTitles,
    chunkSize: 64,
    step(inputs, { S: before }) {
      const { o, S } = glaStep(inputs, before, factor(inputs.q.shape[2]))
      return { output: o, state: { S } }
    },
    chunked(inputs, { S: before }, chunkSize) {
      const { o, S } = glaChunked(inputs, before, factor(inputs.q.shape[3]), chunkSize)
      return { output: o, state: { S } }
    },
  })
}
