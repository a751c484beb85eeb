import type { Kernel } from './kernels.ts'
import { forEachIndex } from './layout.ts'

/** Batched matrix product. */
export const matmul: Kernel<'matmul'> = ([a, b], [c], params) => {
  const { batch, aStrides, bStrides, m, n, k, transposeA, transposeB } = params
  const offsets = [0, 0]
  let position = 0
  forEachIndex(batch, [aStrides, bStrides], offsets, () => {
    const [a0, b0] = offsets
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let total = 0
        for (let p = 0; p < k; p++) {
          total += a[a0 + (transposeA ? p * m + i : i * k + p)] * b[b0 + (transposeB ? j * k + p : p * n + j)]
        }
        c[position++] = total
      }
    }
  })
}

/** Forward substitution, or backward for the transpose, with ones on the diagonal. */
export const solveUnitLower: Kernel<'solveUnitLower'> = ([l, b], [x], { batch, n, columns, transpose }) => {
  for (let s = 0; s < batch; s++) {
    for (let column = 0; column < columns; column++) {
      for (let step = 0; step < n; step++) {
        const i = transpose ? n - 1 - step : step
        let value = b[(s * n + i) * columns + column]
        for (let done = 0; done < step; done++) {
          const j = transpose ? n - 1 - done : done
          value -= l[s * n * n + (transpose ? j * n + i : i * n + j)] * x[(s * n + j) * columns + column]
        }
        x[(s * n + i) * columns + column] = value
      }
    }
  }
}
