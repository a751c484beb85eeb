import { resolveAxis, sizeOf } from '../shape.ts'
import { record } from '../tape.ts'
import { emptyTensor, type Tensor } from '../tensor.ts'
import { mul, sub } from './arithmetic.ts'
import { checkOperands } from './elementwise.ts'
import { exp } from './exponential.ts'
import { swapAxes } from './layout.ts'
import { sum } from './reduce.ts'

export interface SoftmaxOptions {
  /** Default: the last axis. */
  readonly axis?: number
}

/** eˣ / Σ eˣ along an axis, without overflow. A row of −∞ gives NaN. */
export function softmax(x: Tensor, options: SoftmaxOptions = {}): Tensor {
  return alongAxis('softmax', x, options, (rows) => {
    const y = run(rows, false)
    const backward = ([g]: readonly Tensor[]) => [mul(y, sub(g, sum(mul(g, y), { axes: -1, keepAxes: true })))]
    record({ name: 'softmax', inputs: [rows], outputs: [y], saved: [y], backward })
    return y
  })
}

/** log softmax(x) = x − log Σ eˣ along an axis. */
export function logSoftmax(x: Tensor, options: SoftmaxOptions = {}): Tensor {
  return alongAxis('logSoftmax', x, options, (rows) => {
    const y = run(rows, true)
    const backward = ([g]: readonly Tensor[]) => [sub(g, mul(exp(y), sum(g, { axes: -1, keepAxes: true })))]
    record({ name: 'logSoftmax', inputs: [rows], outputs: [y], saved: [y], backward })
    return y
  })
}

function alongAxis(op: string, x: Tensor, { axis = -1 }: SoftmaxOptions, rows: (x: Tensor) => Tensor): Tensor {
  checkOperands(op, [x])
  const at = resolveAxis(op, axis, x.rank)
  if (at === x.rank - 1) return rows(x)
  return swapAxes(rows(swapAxes(x, at, -1)), at, -1)
}

function run(x: Tensor, log: boolean): Tensor {
  const { buffer, executor, dtype, shape } = x
  const output = emptyTensor(executor, dtype, shape)
  const [length] = shape.slice(-1)
  executor.run('softmax', [buffer], [output.buffer], { rows: sizeOf(shape.slice(0, -1)), length, log })
  return output
}
