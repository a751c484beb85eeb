import { defineMixer, type Mixer, type MixerInput, type Named, type Tensor } from '@mixtape/autodiff'
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
export function glaMixer(options: GlaMixerOptions = {}): Mixer<GlaInput, GlaState> {
  return gatedMixer('gla', { axes: keyed, values: 'logGate' }, options, ({ g }) => g)
}

/** The recurrence for a gate of any axes, which `gateOf` brings to those of k, with or without time. */
export function gatedMixer(
  name: string,
  gate: MixerInput,
  { scale }: GlaMixerOptions,
  gateOf: (inputs: Named<GlaInput>) => Tensor,
): Mixer<GlaInput, GlaState> {
  const factor = ({ q }: Named<GlaInput>) => scale ?? q.shape[q.rank - 1] ** -0.5
  const gated = (inputs: Named<GlaInput>) => ({ ...inputs, g: gateOf(inputs) })
  return defineMixer<GlaInput, GlaState>({
    name,
    inputs: {
      q: { axes: keyed, values: 'real' },
      k: { axes: keyed, values: 'real' },
      v: { axes: valued, values: 'real' },
      g: gate,
    },
    output: valued,
    state: { S: ['B', 'H', 'K', 'V'] },
    scanned: 'T',
    axisTitles,
    chunkSize: 64,
    step(inputs, { S: before }) {
      const { o, S } = glaStep(gated(inputs), before, factor(inputs))
      return { output: o, state: { S } }
    },
    chunked(inputs, { S: before }, chunkSize) {
      const { o, S } = glaChunked(gated(inputs), before, factor(inputs), chunkSize)
      return { output: o, state: { S } }
    },
  })
}
