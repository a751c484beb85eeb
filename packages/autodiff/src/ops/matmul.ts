import { broadcastShapes, formatShape, type Shape, sizeOf } from '../shape.ts'
import { record } from '../tape.ts'
import { emptyTensor, type Tensor } from '../tensor.ts'
import { checkOperands } from './elementwise.ts'
import { reshape } from './layout.ts'
import { sumTo } from './sum-to.ts'

export interface MatmulOptions {
  /** Use the transpose of a's last two axes. Default false. */
  readonly transposeA?: boolean
  /** Use the transpose of b's last two axes. Default false. */
  readonly transposeB?: boolean
}

/**
 * Matrix product over the last two axes: [..., m, k] · [..., k, n] → [..., m, n]. Leading axes broadcast.
 * @throws RangeError when an operand has fewer than two axes, the inner extents differ, or leading axes do not broadcast.
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const { transposeA = false, transposeB = false } = options
  checkOperands('matmul', [a, b])
  const { m, n, k } = extents(a, b, transposeA, transposeB)
  if (b.rank === 2 && a.rank > 2 && !transposeA) {
    const rows = reshape(a, [sizeOf(a.shape.slice(0, -1)), k])
    return reshape(matmul(rows, b, options), [...a.shape.slice(0, -1), n])
  }
  const batch = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2))
  const { executor, dtype } = a
  const buffers = [a.buffer, b.buffer]
  const output = emptyTensor(executor, dtype, [...batch, m, n])
  const aStrides = batchStrides(a.shape, batch)
  const bStrides = batchStrides(b.shape, batch)
  executor.run('matmul', buffers, [output.buffer], { batch, aStrides, bStrides, m, n, k, transposeA, transposeB })
  record({
    name: 'matmul',
    inputs: [a, b],
    outputs: [output],
    saved: [a, b],
    backward: ([g], [needsA, needsB]) => [
      needsA
        ? sumTo(
            transposeA
              ? matmul(b, g, { transposeA: transposeB, transposeB: true })
              : matmul(g, b, { transposeB: !transposeB }),
            a.shape,
          )
        : undefined,
      needsB
        ? sumTo(
            transposeB
              ? matmul(g, a, { transposeA: true, transposeB: transposeA })
              : matmul(a, g, { transposeA: !transposeA }),
            b.shape,
          )
        : undefined,
    ],
  })
  return output
}

function extents(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): { m: number; n: number; k: number } {
  if (a.rank < 2 || b.rank < 2) {
    throw new RangeError(
      `matmul: shapes are ${formatShape(a.shape)} and ${formatShape(b.shape)} but each needs two axes or more`,
    )
  }
  const [m, k] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2)
  const [inner, n] = transposeB ? b.shape.slice(-2).reverse() : b.shape.slice(-2)
  if (inner !== k) {
    const side = (name: string, transposed: boolean) => (transposed ? `${name} transposed` : name)
    throw new RangeError(
      `matmul: ${side('a', transposeA)} is ${formatShape(a.shape)} and ${side('b', transposeB)} is ${formatShape(b.shape)}; ` +
        `the inner extents ${k} and ${inner} must match`,
    )
  }
  return { m, n, k }
}

/** Elements from one matrix to the next along each batch axis; 0 where the operand broadcasts. */
function batchStrides(shape: Shape, batch: Shape): number[] {
  const lead = shape.slice(0, -2)
  const strides = new Array<number>(batch.length).fill(0)
  let stride = sizeOf(shape.slice(-2))
  for (let axis = lead.length - 1; axis >= 0; axis--) {
    if (lead[axis] !== 1) strides[batch.length - lead.length + axis] = stride
    stride *= lead[axis]
  }
  return strides
}
