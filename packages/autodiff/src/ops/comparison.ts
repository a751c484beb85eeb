import { call, input } from '../expression.ts'
import type { Tensor } from '../tensor.ts'
import { elementwise, type TensorLike } from './elementwise.ts'

/** 1 where a = b, else 0, in the operands' dtype, like all comparisons. NaN equals nothing. */
export function equal(a: TensorLike, b: TensorLike): Tensor {
  return elementwise('equal', call('equal', input(0), input(1)), [a, b])
}

/** 1 where a ≠ b, else 0. */
export function notEqual(a: TensorLike, b: TensorLike): Tensor {
  return elementwise('notEqual', call('notEqual', input(0), input(1)), [a, b])
}

/** 1 where a < b, else 0. */
export function less(a: TensorLike, b: TensorLike): Tensor {
  return elementwise('less', call('less', input(0), input(1)), [a, b])
}

/** 1 where a ≤ b, else 0. */
export function lessEqual(a: TensorLike, b: TensorLike): Tensor {
  return elementwise('lessEqual', call('lessEqual', input(0), input(1)), [a, b])
}

/** 1 where a > b, else 0. */
export function greater(a: TensorLike, b: TensorLike): Tensor {
  return elementwise('greater', call('less', input(1), input(0)), [a, b])
}

/** 1 where a ≥ b, else 0. */
export function greaterEqual(a: TensorLike, b: TensorLike): Tensor {
  return elementwise('greaterEqual', call('lessEqual', input(1), input(0)), [a, b])
}

/** a where the condition is not 0, else b. What is not taken reaches neither the result nor a gradient, NaN included. */
export function where(condition: TensorLike, a: TensorLike, b: TensorLike): Tensor {
  return elementwise('where', call('select', input(0), input(1), input(2)), [condition, a, b])
}
