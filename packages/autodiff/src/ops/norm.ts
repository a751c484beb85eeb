import { formatShape, sameShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { add, mul, square, sub } from './arithmetic.ts'
import { rsqrt } from './exponential.ts'
import { mean } from './reduce.ts'

export interface RmsNormOptions {
  /** Factor for each channel, [D]. */
  readonly weight?: Tensor
  /** Added to the mean square, under the root. Default 1e-5. */
  readonly epsilon?: number
}

/** `x / sqrt(mean(x²) + ε) · w` over the last axis (arXiv 1910.07467). @throws RangeError when weight is not [D]. */
export function rmsNorm(x: Tensor, options: RmsNormOptions = {}): Tensor {
  const { weight, epsilon = 1e-5 } = options
  checkChannels('rmsNorm', 'weight', x, weight)
  const y = mul(x, rsqrt(add(mean(square(x), { axes: -1, keepAxes: true }), epsilon)))
  return weight === undefined ? y : mul(y, weight)
}

export interface LayerNormOptions extends RmsNormOptions {
  /** Added to each channel, [D]. */
  readonly bias?: Tensor
}

/** `(x − mean) / sqrt(var + ε) · w + b` over the last axis (arXiv 1607.06450). @throws RangeError when weight or bias is not [D]. */
export function layerNorm(x: Tensor, options: LayerNormOptions = {}): Tensor {
  checkChannels('layerNorm', 'bias', x, options.bias)
  const y = rmsNorm(sub(x, mean(x, { axes: -1, keepAxes: true })), options)
  return options.bias === undefined ? y : add(y, options.bias)
}

function checkChannels(op: string, name: string, x: Tensor, channels: Tensor | undefined): void {
  if (x.rank === 0) throw new RangeError(`${op}: x is a scalar but must have an axis to normalise`)
  if (channels !== undefined && !sameShape(channels.shape, x.shape.slice(-1))) {
    throw new RangeError(
      `${op}: ${name} has shape ${formatShape(channels.shape)} but must be ${formatShape(x.shape.slice(-1))}`,
    )
  }
}
