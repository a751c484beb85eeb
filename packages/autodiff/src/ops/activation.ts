import { call, type Expression, input } from '../expression.ts'
import type { Tensor } from '../tensor.ts'
import { elementwise } from './elementwise.ts'

const x = input(0)

/** log(1 + e^(−|x|)): the part of softplus and logSigmoid that neither overflows nor cancels. */
const tail = call('log1p', call('exp', call('neg', call('abs', x))))

/** min(x, 0) and max(x, 0), NaN for NaN, each with half the derivative at 0, which makes those of the sums exact there. */
const negativePart = call('min', x, 0)
const positivePart = call('max', x, 0)

const erfGelu = call('mul', call('mul', 0.5, x), call('add', 1, call('erf', call('mul', x, Math.SQRT1_2))))

const tanhGelu = call('mul', call('mul', 0.5, x), call('add', 1, call('tanh', cubic())))

/** √(2/π)·(x + 0.044715·x³). */
function cubic(): Expression {
  const cube = call('mul', x, call('mul', x, x))
  return call('mul', Math.sqrt(2 / Math.PI), call('add', x, call('mul', 0.044715, cube)))
}

/** Hyperbolic tangent. */
export function tanh(tensor: Tensor): Tensor {
  return elementwise('tanh', call('tanh', x), [tensor])
}

/** 1/(1 + e^(−x)). */
export function sigmoid(tensor: Tensor): Tensor {
  return elementwise('sigmoid', call('sigmoid', x), [tensor])
}

/** log sigmoid(x) = min(x, 0) − log(1 + e^(−|x|)), exact for large |x|; its derivative is sigmoid(−x). */
export function logSigmoid(tensor: Tensor): Tensor {
  return elementwise('logSigmoid', call('sub', negativePart, tail), [tensor])
}

/** log(1 + eˣ) = max(x, 0) + log(1 + e^(−|x|)), exact for large |x|. */
export function softplus(tensor: Tensor): Tensor {
  return elementwise('softplus', call('add', positivePart, tail), [tensor])
}

/** x · sigmoid(x), also called swish (arXiv 1702.03118). */
export function silu(tensor: Tensor): Tensor {
  return elementwise('silu', call('mul', x, call('sigmoid', x)), [tensor])
}

/** x · Φ(x) with Φ the normal distribution function, or its tanh approximation (arXiv 1606.08415). */
export function gelu(tensor: Tensor, options: { readonly approximate?: 'none' | 'tanh' } = {}): Tensor {
  return elementwise('gelu', options.approximate === 'tanh' ? tanhGelu : erfGelu, [tensor])
}

/** max(x, 0), with gradient 0 at 0. */
export function relu(tensor: Tensor): Tensor {
  return elementwise('relu', call('select', call('lessEqual', x, 0), 0, x), [tensor])
}
