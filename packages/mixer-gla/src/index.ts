export {
  type LinearAttentionOptions,
  lightningDecay,
  linearAttentionMixer,
  retentionDecay,
  retentionMixer,
  simpleGlaMixer,
} from './family.ts'
export { elu1, type FeatureMap, hedgehog, identityFeatures, reluFeatures } from './feature-map.ts'
export { HGRN2Attention, type Hgrn2Options, hgrn2 } from './hgrn2.ts'
export { GatedLinearAttention, type GlaOptions, gla } from './layer.ts'
export { type GlaMixerOptions, glaMixer } from './mixer.ts'
export type { GlaInput, GlaState } from './recurrent.ts'
