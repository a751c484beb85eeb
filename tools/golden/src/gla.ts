import { concat, mul, randomGenerator, slice, squeeze, type Tensor } from '@mixtape/autodiff'
import {
  elu1,
  GatedLinearAttention,
  type GlaInput,
  glaMixer,
  HGRN2Attention,
  hedgehog,
  linearAttentionMixer,
  retentionMixer,
  simpleGlaMixer,
} from '@mixtape/mixer-gla'
import type { LayerState, SequenceLayer } from '@mixtape/nn'
import { type Config, type GoldenOp, layerForms, mixerForms, type Tensors, tensorsOf } from './op.ts'

const glaTolerance = { float64: 1e-10, forward: 2e-6, gradient: 5e-6 }
const familyTolerance = { float64: 1e-10, forward: 3e-6, gradient: 1e-5 }

const alongTime = {
  slice: (x: Tensor, start: number, end: number) => slice(x, { axis: 1, start, end }),
  join: (parts: Tensor[]) => concat(parts, { axis: 1 }),
}

/** The ops of `@mixtape/mixer-gla`, by id. */
export const glaOps: Readonly<Record<string, GoldenOp>> = {
  gla: { tolerance: glaTolerance, ...gated(glaMixer, ({ g }) => g) },
  simple_gla: { tolerance: familyTolerance, ...gated(simpleGlaMixer, ({ g }) => g) },
  retention: { tolerance: familyTolerance, ...gated(retentionMixer, ({ g_gamma }) => g_gamma) },
  lightning_attention: { tolerance: familyTolerance, ...gated(retentionMixer, ({ slope }) => mul(slope, -1)) },
  linear_attention: {
    tolerance: familyTolerance,
    ...mixerForms(
      (parameters, config) => linearAttention(parameters, config),
      ({ q, k, v, initial_state: S, initial_z: z }) => ({ inputs: { q, k, v }, state: { S, z: z ?? sumless(S) } }),
      ({ S, z }) => ({ final_state: S, final_z: z }),
    ),
  },
  gla_layer: {
    tolerance: glaTolerance,
    ...layerForms(
      (_, config) =>
        new GatedLinearAttention(contextOf(config), {
          heads: numberIn(config, 'num_heads'),
          keyValueHeads: numberIn(config, 'num_kv_heads'),
          expandK: numberIn(config, 'expand_k'),
          expandV: numberIn(config, 'expand_v'),
          gateRank: numberIn(config, 'gate_low_rank_dim'),
          gateNormalizer: numberIn(config, 'gate_logit_normalizer'),
          clampMin: config.clamp_min === null ? undefined : numberIn(config, 'clamp_min'),
          convolution: config.use_short_conv === true ? numberIn(config, 'conv_size') : 0,
          convolutionBias: config.conv_bias === true,
          outputGate: config.use_output_gate === true,
        }),
      withInitialState,
      (state) => {
        const { S, q, k, v } = tensorsOf(state)
        return { final_state: S, ...(q === undefined ? {} : { conv_q: q, conv_k: k, conv_v: v }) }
      },
      alongTime,
    ),
  },
  hgrn2_layer: {
    tolerance: familyTolerance,
    ...layerForms(
      ({ lower_bound: lowerBound }, config) =>
        new HGRN2Attention(contextOf(config), { heads: numberIn(config, 'num_heads'), lowerBound }),
      withInitialState,
      (state) => ({ final_state: tensorsOf(state).S }),
      alongTime,
    ),
  },
}

function gated(make: typeof glaMixer, gate: (inputs: Tensors) => Tensor): Pick<GoldenOp, 'forms'> {
  return mixerForms<GlaInput, 'S'>(
    (_, config) => make({ scale: numberIn(config, 'scale') }),
    (inputs) => {
      const { q, k, v, initial_state: S } = inputs
      return { inputs: { q, k, v, g: gate(inputs) }, state: S === undefined ? undefined : { S } }
    },
    ({ S }) => ({ final_state: S }),
  )
}

function linearAttention(parameters: Tensors, config: Config): ReturnType<typeof linearAttentionMixer> {
  const name = String(config.feature_map)
  const map = (side: 'q' | 'k') => {
    if (name.startsWith('elu')) return elu1
    if (!name.startsWith('hedgehog')) throw new Error(`linear_attention: unknown feature map ${name}`)
    return hedgehog(parameters[`feature_map_${side}.layer.weight`], parameters[`feature_map_${side}.layer.bias`])
  }
  return linearAttentionMixer({
    featureMap: map('k'),
    queryMap: map('q'),
    normalize: config.normalize === true,
    scale: numberIn(config, 'scale'),
  })
}

/** A sum of weights that nobody reads, for files of the form without one. */
function sumless(S: Tensor): Tensor {
  return squeeze(slice(S, { axis: -1, end: 1 }), -1)
}

function withInitialState(layer: SequenceLayer, { x, initial_state: S }: Tensors): LayerState {
  const empty = tensorsOf(layer.initialState(x.shape[0]))
  return S === undefined ? { ...empty } : { ...empty, S }
}

function contextOf(config: Config): ConstructorParameters<typeof GatedLinearAttention>[0] {
  return {
    width: numberIn(config, 'hidden_size'),
    generator: randomGenerator('golden'),
    layerIndex: 0,
    layerCount: 1,
    normEpsilon: numberIn(config, 'norm_eps'),
  }
}

function numberIn(config: Config, key: string): number {
  const value = config[key]
  if (typeof value !== 'number') throw new Error(`config ${key} is ${String(value)} but must be a number`)
  return value
}
