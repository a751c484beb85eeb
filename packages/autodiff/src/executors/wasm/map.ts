import type { CoreKernels } from '../../executor.ts'
import { type Expression, expressionKey } from '../../expression.ts'
import { sizeOf } from '../../shape.ts'
import type { FunctionBuilder, Vector } from './assembler.ts'
import { mergeAxes, noAxis } from './axes.ts'
import type { Modules } from './modules.ts'
import { callVector } from './vector-math.ts'

/**
 * Elementwise kernels, generated from the expression. Axes are merged to as few as strides allow; the two innermost
 * that are left are loops in WebAssembly, rows of vectors. A row's last vector may run into the next row, which is
 * written after it, or into the room behind the buffer.
 */
export function runMap(
  modules: Modules,
  { expression, shape, strides }: CoreKernels['map'],
  inputs: readonly number[],
  output: number,
): void {
  if (sizeOf(shape) === 0) return
  const axes = mergeAxes(shape, strides)
  const inner = axes.at(-1) ?? noAxis(strides.length)
  const rows = axes.at(-2) ?? noAxis(strides.length)
  const steps = inner.strides
  const key = `map ${steps.join('')} ${expressionKey(expression)}`
  const kernel = modules.get(key, 4 + 2 * inputs.length, (f) => writeMap(f, expression, steps))
  const rowBytes = inner.extent * 4
  const vectors = Math.ceil(inner.extent / 4)
  const addresses = [...inputs]
  let target = output
  const outer = axes.slice(0, -2)
  const visit = (depth: number): void => {
    if (depth === outer.length) {
      const operands = addresses.flatMap((address, index) => [address, rows.strides[index] * 4])
      kernel(rows.extent, vectors, target, rowBytes, ...operands)
      target += rows.extent * rowBytes
      return
    }
    for (let i = 0; i < outer[depth].extent; i++) {
      visit(depth + 1)
      outer[depth].strides.forEach((stride, index) => {
        addresses[index] += stride * 4
      })
    }
    outer[depth].strides.forEach((stride, index) => {
      addresses[index] -= stride * 4 * outer[depth].extent
    })
  }
  visit(0)
}

/** run(rows, vectors, output, rowBytes, [input, inputRowBytes]…); an input with step 0 is one number per row. */
function writeMap(f: FunctionBuilder, expression: Expression, steps: readonly number[]): void {
  const [rows, vectors, output, rowBytes, ...operands] = f.parameters
  f.repeat(rows, () => {
    const to = f.copy(output)
    const from = steps.map((_, index) => f.copy(operands[2 * index]))
    const splats = steps.map((step, index) => (step === 0 ? f.loadSplat(from[index]) : undefined))
    f.repeat(vectors, () => {
      const known = new Map<string, Vector>()
      const elements = splats.map((splat, index) => splat ?? f.load(from[index]))
      f.store(to, evaluate(f, expression, elements, known))
      f.increment(to, 16)
      from.forEach((address, index) => {
        if (steps[index] !== 0) f.increment(address, 16)
      })
    })
    f.increment(output, rowBytes)
    steps.forEach((_, index) => {
      f.increment(operands[2 * index], operands[2 * index + 1])
    })
  })
}

/** Equal subexpressions are computed once. */
function evaluate(
  f: FunctionBuilder,
  expression: Expression,
  elements: readonly Vector[],
  known: Map<string, Vector>,
): Vector {
  if (expression.kind === 'input') return elements[expression.index]
  if (expression.kind === 'constant') return f.constant(expression.value)
  const key = expressionKey(expression)
  const before = known.get(key)
  if (before !== undefined) return before
  const value = callVector(
    f,
    expression.name,
    expression.args.map((arg) => evaluate(f, arg, elements, known)),
  )
  known.set(key, value)
  return value
}
