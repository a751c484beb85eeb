import { type Shape, sizeOf } from '../../shape.ts'
import type { Kernel } from './kernels.ts'

/** Strided copy. */
export const copy: Kernel<'copy'> = ([x], [y], { shape, inputOffset, inputStrides, outputOffset, outputStrides }) => {
  const offsets = [inputOffset, outputOffset]
  forEachIndex(shape, [inputStrides, outputStrides], offsets, () => {
    y[offsets[1]] = x[offsets[0]]
  })
}

/** Picks elements along the middle axis. */
export const gather: Kernel<'gather'> = (
  [x, index],
  [y],
  { outer, length, inner, count, indexStrides: [s0, s1, s2] },
) => {
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < count; c++) {
      for (let i = 0; i < inner; i++) {
        y[(o * count + c) * inner + i] = x[(o * length + index[o * s0 + c * s1 + i * s2]) * inner + i]
      }
    }
  }
}

/** Adds elements to where `gather` would have picked them. */
export const scatterAdd: Kernel<'scatterAdd'> = ([source, index], [y], params) => {
  const { outer, length, inner, count, indexStrides } = params
  const [s0, s1, s2] = indexStrides
  const sums = new Float64Array(y.length)
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < count; c++) {
      for (let i = 0; i < inner; i++) {
        sums[(o * length + index[o * s0 + c * s1 + i * s2]) * inner + i] += source[(o * count + c) * inner + i]
      }
    }
  }
  y.set(sums)
}

/** Rows of zeros with a single 1. */
export const oneHot: Kernel<'oneHot'> = ([index], [y], { count, classes }) => {
  y.fill(0)
  for (let c = 0; c < count; c++) if (index[c] >= 0 && index[c] < classes) y[c * classes + index[c]] = 1
}

/**
 * Visits every index of `shape` in row-major order, keeping one offset per operand up to date in `offsets`
 * (which starts at the operands' first elements).
 */
export function forEachIndex(
  shape: Shape,
  strides: readonly (readonly number[])[],
  offsets: number[],
  visit: () => void,
): void {
  if (sizeOf(shape) === 0) return
  const walk = (axis: number): void => {
    if (axis === shape.length) {
      visit()
      return
    }
    for (let i = 0; i < shape[axis]; i++) {
      walk(axis + 1)
      strides.forEach((stride, operand) => {
        offsets[operand] += stride[axis]
      })
    }
    strides.forEach((stride, operand) => {
      offsets[operand] -= stride[axis] * shape[axis]
    })
  }
  walk(0)
}
