import type { TypedArray } from '../../dtype.ts'
import type { CoreKernelName, CoreKernels } from '../../executor.ts'
import {
  conv1d,
  conv1dInputGradient,
  conv1dWeightGradient,
  conv2d,
  conv2dInputGradient,
  conv2dWeightGradient,
} from './convolution.ts'
import { copy, gather, oneHot, scatterAdd } from './layout.ts'
import { matmul, solveUnitLower } from './linalg.ts'
import { map } from './map.ts'
import { reduce, scan, softmax } from './reduce.ts'

/** Arrays in, arrays out. */
export type Kernel<Name extends CoreKernelName> = (
  inputs: readonly TypedArray[],
  outputs: readonly TypedArray[],
  params: CoreKernels[Name],
) => void

/** Every core kernel. */
export const referenceKernels: { readonly [Name in CoreKernelName]: Kernel<Name> } = {
  map,
  copy,
  reduce,
  scan,
  softmax,
  matmul,
  gather,
  scatterAdd,
  oneHot,
  conv1d,
  conv1dInputGradient,
  conv1dWeightGradient,
  conv2d,
  conv2dInputGradient,
  conv2dWeightGradient,
  solveUnitLower,
}
