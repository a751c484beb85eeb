import { add, concat, exp, formatShape, matmul, minimum, mul, neg, relu, softmax, type Tensor } from '@mixtape/autodiff'

/** A map φ of queries and keys, over the last axis: [..., K] → [..., F]. */
export interface FeatureMap {
  readonly name: string
  /** Whether no feature is ever negative, so that sums of weights can be divided by. */
  readonly positive: boolean
  /** F for a key dim of K. */
  width(keyDim: number): number
  apply(x: Tensor): Tensor
}

const same = (keyDim: number) => keyDim

/** elu(x) + 1 (arXiv 2006.16236). */
export const elu1: FeatureMap = {
  name: 'elu1',
  positive: true,
  width: same,
  apply: (x) => add(relu(x), exp(minimum(x, 0))),
}

/** max(x, 0). */
export const reluFeatures: FeatureMap = { name: 'relu', positive: true, width: same, apply: relu }

/** x itself. */
export const identityFeatures: FeatureMap = { name: 'identity', positive: false, width: same, apply: (x) => x }

/**
 * Hedgehog (arXiv 2402.04347), as flash-linear-attention encodes it: softmax of [2y, −2y] with y = x Wᵀ + b;
 * weight [K, K], bias [K] → F = 2K.
 * @throws RangeError when the weight is not square or the bias does not fit.
 */
export function hedgehog(weight: Tensor, bias: Tensor): FeatureMap {
  const [outputs, inputs] = weight.shape
  if (weight.rank !== 2 || outputs !== inputs || bias.rank !== 1 || bias.size !== outputs) {
    throw new RangeError(
      `hedgehog: weight has shape ${formatShape(weight.shape)} and bias ${formatShape(bias.shape)} but must be [K, K] and [K]`,
    )
  }
  return {
    name: 'hedgehog',
    positive: true,
    width: (keyDim) => 2 * keyDim,
    apply(x) {
      const y = mul(add(matmul(x, weight, { transposeB: true }), bias), 2)
      return softmax(concat([y, neg(y)], { axis: -1 }))
    },
  }
}
