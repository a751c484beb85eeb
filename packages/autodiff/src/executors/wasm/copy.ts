import type { CoreKernels } from '../../executor.ts'
import type { FunctionBuilder } from './assembler.ts'
import { type Axis, mergeAxes, noAxis } from './axes.ts'
import type { Modules } from './modules.ts'

/**
 * Strided copy. Axes are merged to as few as strides allow; the two innermost that are left are loops in WebAssembly:
 * rows of vectors where both sides are contiguous or one element is repeated, of single elements otherwise. Nothing is
 * written outside of the target elements. Elements are 32 bits of any type.
 */
export function runCopy(modules: Modules, params: CoreKernels['copy'], input: number, output: number): void {
  const { shape, inputStrides, outputStrides, inputOffset, outputOffset } = params
  if (shape.includes(0)) return
  const axes = mergeAxes(shape, [inputStrides, outputStrides])
  const inner = axes.at(-1) ?? noAxis(2)
  const rows = axes.at(-2) ?? noAxis(2)
  const [inputStep, outputStep] = inner.strides
  const wide = inner.extent >= 4 && outputStep === 1 && (inputStep === 1 || inputStep === 0)
  const kind = wide ? (inputStep === 1 ? 'contiguous' : 'repeated') : 'strided'
  const kernel = modules.get(`copy ${kind}`, 9, (f) => writeCopy(f, kind))
  const vectors = wide ? Math.floor(inner.extent / 4) : 0
  const rest = inner.extent - 4 * vectors
  const steps = [inputStep * 4, outputStep * 4, rows.strides[0] * 4, rows.strides[1] * 4]
  const outer = axes.slice(0, -2)
  const visit = (depth: number, from: number, to: number): void => {
    if (depth === outer.length) {
      kernel(from, to, rows.extent, vectors, rest, ...steps)
      return
    }
    const { extent, strides }: Axis = outer[depth]
    for (let i = 0; i < extent; i++) visit(depth + 1, from + i * strides[0] * 4, to + i * strides[1] * 4)
  }
  visit(0, input + inputOffset * 4, output + outputOffset * 4)
}

/** run(input, output, rows, vectors, rest, inputStep, outputStep, inputRow, outputRow), steps in bytes. */
function writeCopy(f: FunctionBuilder, kind: 'contiguous' | 'repeated' | 'strided'): void {
  const [input, output, rows, vectors, rest, inputStep, outputStep, inputRow, outputRow] = f.parameters
  f.repeat(rows, () => {
    const from = f.copy(input)
    const to = f.copy(output)
    if (kind !== 'strided') {
      const one = kind === 'repeated' ? f.loadSplat(from) : undefined
      f.repeat(vectors, () => {
        f.store(to, one ?? f.load(from))
        f.increment(to, 16)
        if (one === undefined) f.increment(from, 16)
      })
    }
    f.repeat(rest, () => {
      f.storeLane(to, f.loadSplat(from))
      f.increment(from, inputStep)
      f.increment(to, outputStep)
    })
    f.increment(input, inputRow)
    f.increment(output, outputRow)
  })
}
