import { axisView, resolveAxis } from '../shape.ts'
import { record } from '../tape.ts'
import { emptyTensor, type Tensor } from '../tensor.ts'
import { add, maximum, neg, sub } from './arithmetic.ts'
import { equal, where } from './comparison.ts'
import { checkOperands } from './elementwise.ts'
import { exp, log } from './exponential.ts'

export interface ScanOptions {
  readonly axis: number
  /** From the end to the beginning. Default false. */
  readonly reverse?: boolean
}

/** Running sum along an axis, each element included: y_t = Σ_{s≤t} x_s, or Σ_{s≥t} in reverse. */
export function cumSum(x: Tensor, options: ScanOptions): Tensor {
  const { axis, reverse } = resolve('cumSum', x, options)
  const output = run(x, 'sum', axis, reverse)
  const backward = ([g]: readonly Tensor[]) => [cumSum(g, { axis, reverse: !reverse })]
  record({ name: 'cumSum', inputs: [x], outputs: [output], saved: [], backward })
  return output
}

/** Running logSumExp along an axis: y_t = log Σ_{s≤t} exp x_s. */
export function cumLogSumExp(x: Tensor, options: ScanOptions): Tensor {
  const { axis, reverse } = resolve('cumLogSumExp', x, options)
  const y = run(x, 'logSumExp', axis, reverse)
  record({
    name: 'cumLogSumExp',
    inputs: [x],
    outputs: [y],
    saved: [x, y],
    backward: ([g]) => {
      // dx_s = Σ_{t≥s} g_t exp(x_s − y_t): in logarithms, since exp(−y_t) may overflow where the product does not
      const empty = equal(y, Number.NEGATIVE_INFINITY)
      const part = (positive: Tensor) => {
        const terms = where(empty, Number.NEGATIVE_INFINITY, sub(log(positive), y))
        return exp(add(cumLogSumExp(terms, { axis, reverse: !reverse }), x))
      }
      const safe = (gradient: Tensor) => where(equal(x, Number.NEGATIVE_INFINITY), 0, gradient)
      return [safe(sub(part(maximum(g, 0)), part(maximum(neg(g), 0))))]
    },
  })
  return y
}

function resolve(op: string, x: Tensor, { axis, reverse = false }: ScanOptions): { axis: number; reverse: boolean } {
  checkOperands(op, [x])
  return { axis: resolveAxis(op, axis, x.rank), reverse }
}

function run(x: Tensor, scan: 'sum' | 'logSumExp', axis: number, reverse: boolean): Tensor {
  const { buffer, executor, dtype, shape } = x
  const output = emptyTensor(executor, dtype, shape)
  executor.run('scan', [buffer], [output.buffer], { scan, reverse, ...axisView(shape, axis) })
  return output
}
