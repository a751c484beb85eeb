import type { Conv1dParams } from '../../executor.ts'
import type { FunctionBuilder } from './assembler.ts'
import type { BlockMemory } from './memory.ts'
import type { Modules } from './modules.ts'

type Conv1dKernel = 'conv1d' | 'conv1dInputGradient' | 'conv1dWeightGradient'

/**
 * Causal depthwise convolutions of a number of channels that is a multiple of four. Tap j meets the input
 * `width − 1 − j` steps back, so each tap is one pass over rows of channels: `y += w_j·x` forward, `dx += w_j·dy`, or
 * `dw_j += x·dy`. Taps are kept as [width, channels] in scratch memory meanwhile.
 */
export function runConv1d(
  memory: BlockMemory,
  modules: Modules,
  kernel: Conv1dKernel,
  { batch, time, channels, width }: Conv1dParams,
  operands: readonly number[],
  output: number,
): void {
  const rowBytes = channels * 4
  const taps = memory.allocate(width * rowBytes)
  try {
    const floats = memory.floats
    const isWeightGradient = kernel === 'conv1dWeightGradient'
    if (isWeightGradient) floats.fill(0, taps / 4, taps / 4 + width * channels)
    else {
      floats.fill(0, output / 4, output / 4 + batch * time * channels)
      transposed(floats, operands[1] / 4, taps / 4, channels, width)
    }
    const name = isWeightGradient ? 'conv1d weight gradient' : 'conv1d'
    const run = modules.get(name, 6, (f) => writeTap(f, isWeightGradient))
    for (let b = 0; b < batch; b++) {
      for (let j = 0; j < width; j++) {
        const back = width - 1 - j
        if (back >= time) continue
        const early = (address: number) => address + b * time * rowBytes
        const late = (address: number) => early(address) + back * rowBytes
        const tap = taps + j * rowBytes
        if (kernel === 'conv1d') run(early(operands[0]), tap, late(output), time - back, channels / 4, rowBytes)
        else if (kernel === 'conv1dInputGradient') {
          run(late(operands[0]), tap, early(output), time - back, channels / 4, rowBytes)
        } else run(early(operands[0]), late(operands[1]), tap, time - back, channels / 4, rowBytes)
      }
    }
    if (isWeightGradient) transposed(floats, taps / 4, output / 4, width, channels)
  } finally {
    memory.release(taps, width * rowBytes)
  }
}

/** [rows, columns] → [columns, rows], addresses in elements. */
function transposed(floats: Float32Array, from: number, to: number, rows: number, columns: number): void {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      floats[to + column * rows + row] = floats[from + row * columns + column]
  }
}

/** run(x, w, y, rows, vectors, rowBytes): `y[t] += w·x[t]`, or for the weights `y += Σ_t x[t]·w[t]`. */
function writeTap(f: FunctionBuilder, sumOverRows: boolean): void {
  const [x, w, y, rows, vectors, rowBytes] = f.parameters
  f.repeat(vectors, () => {
    const from = f.copy(x)
    const weights = f.copy(w)
    const to = f.copy(y)
    const held = f.variable(f.load(sumOverRows ? to : weights))
    f.repeat(rows, () => {
      if (sumOverRows) {
        f.assign(held, f.multiplyAdd(f.load(from), f.load(weights), held))
        f.increment(weights, rowBytes)
      } else {
        f.store(to, f.multiplyAdd(f.load(from), held, f.load(to)))
        f.increment(to, rowBytes)
      }
      f.increment(from, rowBytes)
    })
    if (sumOverRows) f.store(to, held)
    f.increment(x, 16)
    f.increment(w, 16)
    f.increment(y, 16)
  })
}
