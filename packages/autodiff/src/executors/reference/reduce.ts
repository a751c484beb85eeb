import type { Kernel } from './kernels.ts'

/** Reduction of the middle axis. */
export const reduce: Kernel<'reduce'> = ([x], [y], { reduction, outer, length, inner }) => {
  const apply = reductions[reduction]
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      y[o * inner + i] = apply(length, (n) => x[(o * length + n) * inner + i])
    }
  }
}

/** Inclusive scan of the middle axis. */
export const scan: Kernel<'scan'> = ([x], [y], { scan: kind, reverse, outer, length, inner }) => {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let carried = kind === 'sum' ? 0 : Number.NEGATIVE_INFINITY
      for (let n = 0; n < length; n++) {
        const at = (o * length + (reverse ? length - 1 - n : n)) * inner + i
        carried = kind === 'sum' ? carried + x[at] : logAddExp(carried, x[at])
        y[at] = carried
      }
    }
  }
}

/**
 * Softmax of rows, or its logarithm. The sum leaves one maximum out, whose term is 1: near the maximum, all digits of the
 * logarithm are in what the others add.
 */
export const softmax: Kernel<'softmax'> = ([x], [y], { rows, length, log }) => {
  for (let row = 0; row < rows; row++) {
    const at = (n: number) => x[row * length + n]
    const best = reductions.argMax(length, at)
    const most = at(best)
    const rest = reductions.sum(length, (n) => Math.exp(at(n) - most) - (n === best ? 1 : 0))
    for (let n = 0; n < length; n++) {
      y[row * length + n] = log ? at(n) - most - Math.log1p(rest) : Math.exp(at(n) - most) / (1 + rest)
    }
  }
}

type Reduction = (length: number, at: (n: number) => number) => number

const reductions: Readonly<Record<'sum' | 'max' | 'min' | 'logSumExp' | 'argMax', Reduction>> = {
  sum: (length, at) => {
    let total = 0
    for (let n = 0; n < length; n++) total += at(n)
    return total
  },
  max: (length, at) => {
    let most = Number.NEGATIVE_INFINITY
    for (let n = 0; n < length; n++) most = Math.max(most, at(n))
    return most
  },
  min: (length, at) => {
    let least = Number.POSITIVE_INFINITY
    for (let n = 0; n < length; n++) least = Math.min(least, at(n))
    return least
  },
  logSumExp: (length, at) => {
    const most = reductions.max(length, at)
    if (!Number.isFinite(most)) return most
    return most + Math.log(reductions.sum(length, (n) => Math.exp(at(n) - most)))
  },
  argMax: (length, at) => {
    let best = 0
    for (let n = 0; n < length; n++) {
      if (Number.isNaN(at(n))) return n
      if (at(n) > at(best)) best = n
    }
    return best
  },
}

function logAddExp(a: number, b: number): number {
  const most = Math.max(a, b)
  if (!Number.isFinite(most)) return most
  return most + Math.log1p(Math.exp(Math.min(a, b) - most))
}
