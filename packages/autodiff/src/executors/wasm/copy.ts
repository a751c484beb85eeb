import type { TypedArray } from '../../dtype.ts'
import type { CoreKernels } from '../../executor.ts'

/** Strided copy within memory. `x` and `y` are in elements of `heap`. */
export function runCopy(heap: TypedArray, params: CoreKernels['copy'], x: number, y: number): void {
  const { shape, inputStrides, outputStrides } = params
  if (shape.includes(0)) return
  const last = shape.length - 1
  const extent = shape[last] ?? 1
  const inputStep = inputStrides[last] ?? 1
  const outputStep = outputStrides[last] ?? 1
  const row = (from: number, to: number): void => {
    if (inputStep === 1 && outputStep === 1 && extent > 16) heap.copyWithin(to, from, from + extent)
    else if (inputStep === 0 && outputStep === 1) heap.fill(heap[from], to, to + extent)
    else for (let i = 0; i < extent; i++) heap[to + i * outputStep] = heap[from + i * inputStep]
  }
  const visit = (axis: number, from: number, to: number): void => {
    if (axis >= last) {
      row(from, to)
      return
    }
    for (let i = 0; i < shape[axis]; i++) visit(axis + 1, from + i * inputStrides[axis], to + i * outputStrides[axis])
  }
  visit(0, x + params.inputOffset, y + params.outputOffset)
}
