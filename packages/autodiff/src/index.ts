export { anomaly } from './anomaly.ts'
export { currentExecutor, defaultDType, useExecutor } from './context.ts'
export type { DType, FloatDType, TypedArray } from './dtype.ts'
export type {
  CoreKernelName,
  CoreKernels,
  Executor,
  ExecutorBuffer,
  ExecutorMemory,
  FusedKernel,
  FusedParams,
} from './executor.ts'
export { type ReferenceKernel, reference } from './executors/reference/index.ts'
export { type Expression, expressionKey, type ScalarFunction } from './expression.ts'
export { memory } from './memory.ts'
export { defineMixer } from './mixer/define.ts'
export type {
  Axes,
  ChunkedOptions,
  FusedForm,
  Mixer,
  MixerDefinition,
  MixerInput,
  MixerResult,
  Named,
  Sizes,
} from './mixer/mixer.ts'
export { gelu, logSigmoid, relu, sigmoid, silu, softplus, tanh } from './ops/activation.ts'
export { abs, add, clamp, div, maximum, minimum, mul, neg, pow, square, sub } from './ops/arithmetic.ts'
export { equal, greater, greaterEqual, less, lessEqual, notEqual, where } from './ops/comparison.ts'
export { type CausalConv1dOptions, causalConv1d, depthwiseConv2d } from './ops/convolution.ts'
export {
  type CustomBackward,
  type CustomForward,
  type CustomGradient,
  customGradient,
  type OutputSpec,
  runFused,
  supportsFused,
} from './ops/custom.ts'
export { dropout } from './ops/dropout.ts'
export type { TensorLike } from './ops/elementwise.ts'
export { exp, expm1, log, log1p, rsqrt, sqrt } from './ops/exponential.ts'
export { embedding, gather, oneHot, scatterAdd } from './ops/indexing.ts'
export { broadcastTo, expandAxis, reshape, squeeze, swapAxes, transpose } from './ops/layout.ts'
export { solveUnitLower, type TriangleOptions, tril, triu } from './ops/linalg.ts'
export { type CrossEntropyOptions, crossEntropy } from './ops/loss.ts'
export { type MatmulOptions, matmul } from './ops/matmul.ts'
export { type LayerNormOptions, layerNorm, type RmsNormOptions, rmsNorm } from './ops/norm.ts'
export {
  argMax,
  logSumExp,
  max,
  mean,
  min,
  type ReduceOptions,
  sum,
  type VarianceOptions,
  variance,
} from './ops/reduce.ts'
export { cumLogSumExp, cumSum, type ScanOptions } from './ops/scan.ts'
export { concat, flip, type PadOptions, pad, repeat, type SliceOptions, slice, split, stack } from './ops/slicing.ts'
export { logSoftmax, type SoftmaxOptions, softmax } from './ops/softmax.ts'
export { Generator, type GeneratorState, randomGenerator, randomNormal, randomUniform } from './random.ts'
export { free, scope } from './scope.ts'
export { formatShape, type Shape, sameShape, sizeOf } from './shape.ts'
export { checkpoint, grad, stopGradient, valueAndGrad } from './tape.ts'
export {
  type FillOptions,
  full,
  type NestedNumbers,
  ones,
  Tensor,
  type TensorOptions,
  tensor,
  zeros,
} from './tensor.ts'
export { mapTree, type Tree, tensorsIn } from './tree.ts'
