import { call, input } from '../expression.ts'
import type { Tensor } from '../tensor.ts'
import { elementwise, type TensorLike } from './elementwise.ts'

const x = input(0)

/** a + b, with NumPy broadcasting as in all elementwise ops. @throws RangeError when the shapes do not broadcast. */
export function add(a: TensorLike, b: TensorLike): Tensor {
  return elementwise('add', call('add', input(0), input(1)), [a, b])
}

/** a − b. */
export function sub(a: TensorLike, b: TensorLike): Tensor {
  return elementwise('sub', call('sub', input(0), input(1)), [a, b])
}

/** a · b, element by element. */
export function mul(a: TensorLike, b: TensorLike): Tensor {
  return elementwise('mul', call('mul', input(0), input(1)), [a, b])
}

/** a / b. */
export function div(a: TensorLike, b: TensorLike): Tensor {
  return elementwise('div', call('div', input(0), input(1)), [a, b])
}

/** The larger of a and b; NaN if either is. At ties each gets half of the gradient. */
export function maximum(a: TensorLike, b: TensorLike): Tensor {
  return elementwise('maximum', call('max', input(0), input(1)), [a, b])
}

/** The smaller of a and b; NaN if either is. At ties each gets half of the gradient. */
export function minimum(a: TensorLike, b: TensorLike): Tensor {
  return elementwise('minimum', call('min', input(0), input(1)), [a, b])
}

/** −x. */
export function neg(tensor: Tensor): Tensor {
  return elementwise('neg', call('neg', x), [tensor])
}

/** |x|, with gradient 0 at 0. */
export function abs(tensor: Tensor): Tensor {
  return elementwise('abs', call('abs', x), [tensor])
}

/** x². */
export function square(tensor: Tensor): Tensor {
  return elementwise('square', call('mul', x, x), [tensor])
}

/** x to a fixed power, as `Math.pow`. */
export function pow(tensor: Tensor, exponent: number): Tensor {
  return elementwise('pow', call('pow', x, exponent), [tensor])
}

/**
 * x held within [min, max]; the gradient is 0 where it was outside. NaN stays NaN.
 * @throws RangeError when min is larger than max.
 */
export function clamp(tensor: Tensor, limits: { readonly min?: number; readonly max?: number }): Tensor {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = limits
  if (!(min <= max)) throw new RangeError(`clamp: min is ${min} but must be at most max, ${max}`)
  return elementwise('clamp', call('select', call('less', x, min), min, call('select', call('less', max, x), max, x)), [
    tensor,
  ])
}
