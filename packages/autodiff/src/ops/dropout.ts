import { allocateArray } from '../dtype.ts'
import type { Generator } from '../random.ts'
import { type Tensor, upload } from '../tensor.ts'
import { mul } from './arithmetic.ts'
import { checkOperands } from './elementwise.ts'

/**
 * Sets each element to 0 with probability `rate` and divides the others by 1 − rate (arXiv 1207.0580).
 * @throws RangeError when rate is not in [0, 1).
 */
export function dropout(x: Tensor, rate: number, generator: Generator): Tensor {
  checkOperands('dropout', [x])
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`dropout: rate is ${rate} but must be in [0, 1)`)
  if (rate === 0) return x
  const factors = allocateArray(x.dtype, x.size)
  for (let i = 0; i < factors.length; i++) factors[i] = generator.uniform() < rate ? 0 : 1 / (1 - rate)
  return mul(x, upload(factors, x.shape, x.dtype, x.executor))
}
