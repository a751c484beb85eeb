import { allocateArray } from '../dtype.ts'
import { formatShape, sameShape, sizeOf } from '../shape.ts'
import { record } from '../tape.ts'
import { emptyTensor, type Tensor, upload } from '../tensor.ts'
import { neg } from './arithmetic.ts'
import { where } from './comparison.ts'
import { checkOperands } from './elementwise.ts'
import { matmul } from './matmul.ts'

/**
 * Solves L x = b, or Lᵀ x = b, for L with ones on the diagonal; only what lies strictly below it is read.
 * lower [..., n, n], b [..., n, columns] → [..., n, columns].
 * @throws RangeError when L is not square or the other axes differ.
 */
export function solveUnitLower(lower: Tensor, b: Tensor, options: { readonly transpose?: boolean } = {}): Tensor {
  const { transpose = false } = options
  checkOperands('solveUnitLower', [lower, b])
  const [n, columns] = b.shape.slice(-2)
  if (b.rank < 2 || !sameShape(lower.shape, [...b.shape.slice(0, -2), n, n])) {
    throw new RangeError(
      `solveUnitLower: lower has shape ${formatShape(lower.shape)} and b ${formatShape(b.shape)} but must be [..., n, n] and [..., n, columns]`,
    )
  }
  const { executor, dtype } = b
  const buffers = [lower.buffer, b.buffer]
  const x = emptyTensor(executor, dtype, b.shape)
  executor.run('solveUnitLower', buffers, [x.buffer], { batch: sizeOf(b.shape.slice(0, -2)), n, columns, transpose })
  record({
    name: 'solveUnitLower',
    inputs: [lower, b],
    outputs: [x],
    saved: [lower, x],
    backward: ([g], [needsLower]) => {
      const db = solveUnitLower(lower, g, { transpose: !transpose })
      const [left, right] = transpose ? [x, db] : [db, x]
      return [needsLower ? neg(tril(matmul(left, right, { transposeB: true }), { diagonal: -1 })) : undefined, db]
    },
  })
  return x
}

export interface TriangleOptions {
  /** 0 the main diagonal (default), positive above it, negative below. */
  readonly diagonal?: number
}

/** The lower triangle of the last two axes, up to and including a diagonal; 0 elsewhere, whatever stood there. */
export function tril(x: Tensor, { diagonal = 0 }: TriangleOptions = {}): Tensor {
  return masked('tril', x, (row, column) => column - row <= diagonal)
}

/** The upper triangle of the last two axes, from a diagonal on; 0 elsewhere, whatever stood there. */
export function triu(x: Tensor, { diagonal = 0 }: TriangleOptions = {}): Tensor {
  return masked('triu', x, (row, column) => column - row >= diagonal)
}

function masked(op: string, x: Tensor, keeps: (row: number, column: number) => boolean): Tensor {
  checkOperands(op, [x])
  if (x.rank < 2) throw new RangeError(`${op}: x has shape ${formatShape(x.shape)} but must have two axes or more`)
  const [rows, columns] = x.shape.slice(-2)
  const mask = allocateArray(x.dtype, rows * columns)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) mask[row * columns + column] = Number(keeps(row, column))
  }
  return where(upload(mask, [rows, columns], x.dtype, x.executor), x, 0)
}
