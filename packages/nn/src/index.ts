export { type AttentionOptions, attention, SoftmaxAttention } from './attention.ts'
export {
  type Checkpoint,
  type CheckpointParts,
  checkpointTensors,
  type RestoredCheckpoint,
  restoreCheckpoint,
} from './checkpoint.ts'
export { type GenerateOptions, generate, type SamplingOptions, sampleToken } from './generate.ts'
export {
  LanguageModel,
  type LanguageModelOptions,
  languageModel,
  type ModelResult,
  ResidualBlock,
} from './language-model.ts'
export { Embedding, Linear, type LinearOptions } from './linear.ts'
export { loadParameters } from './load-parameters.ts'
export { type FeedForward, GeluMLP, SwiGLU, swigluWidth } from './mlp.ts'
export { LayerNorm, type NormOptions, RMSNorm } from './norm.ts'
export {
  type AdamWOptions,
  adamW,
  clipByGlobalNorm,
  type Gradients,
  type Optimizer,
  type OptimizerState,
  type SgdOptions,
  sgd,
} from './optimizer.ts'
export { collectParameters, countParameters, type Module, Parameter, type Parameters, valuesOf } from './parameter.ts'
export { rotary } from './rotary.ts'
export { constantRate, type Schedule, type WarmupCosineOptions, warmupCosine } from './schedule.ts'
export type {
  ForwardOptions,
  LayerContext,
  LayerFactory,
  LayerResult,
  LayerState,
  SequenceLayer,
} from './sequence-layer.ts'
export { ShortConvolution, type ShortConvolutionOptions, type ShortConvolutionResult } from './short-convolution.ts'
export { type TokenBatch, type TrainOptions, type TrainStep, train } from './train.ts'
