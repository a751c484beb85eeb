import { call, input } from '../expression.ts'
import type { Tensor } from '../tensor.ts'
import { elementwise } from './elementwise.ts'

const x = input(0)

/** eˣ. */
export function exp(tensor: Tensor): Tensor {
  return elementwise('exp', call('exp', x), [tensor])
}

/** eˣ − 1, accurate near 0. */
export function expm1(tensor: Tensor): Tensor {
  return elementwise('expm1', call('expm1', x), [tensor])
}

/** Natural logarithm: −∞ at 0, NaN below. */
export function log(tensor: Tensor): Tensor {
  return elementwise('log', call('log', x), [tensor])
}

/** log(1 + x), accurate near 0. */
export function log1p(tensor: Tensor): Tensor {
  return elementwise('log1p', call('log1p', x), [tensor])
}

/** √x, with gradient ∞ at 0. */
export function sqrt(tensor: Tensor): Tensor {
  return elementwise('sqrt', call('sqrt', x), [tensor])
}

/** 1/√x. */
export function rsqrt(tensor: Tensor): Tensor {
  return elementwise('rsqrt', call('div', 1, call('sqrt', x)), [tensor])
}
