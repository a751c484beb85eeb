import { type Shape, sameShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { reshape } from './layout.ts'
import { sum } from './reduce.ts'

/** Internal: undoes broadcasting by summing over the axes that `shape` does not have, or has with extent 1. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x
  const lead = x.rank - shape.length
  const axes = x.shape.flatMap((extent, axis) =>
    axis < lead || (shape[axis - lead] === 1 && extent !== 1) ? [axis] : [],
  )
  return reshape(axes.length === 0 ? x : sum(x, { axes }), shape)
}
