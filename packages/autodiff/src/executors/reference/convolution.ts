import type { Conv1dParams, Conv2dParams } from '../../executor.ts'
import type { Kernel } from './kernels.ts'

/** Causal depthwise convolution over time. */
export const conv1d: Kernel<'conv1d'> = ([x, w], [y], params) => {
  const sums = new Float64Array(y.length)
  forEachTap1d(params, (input, weight, output) => {
    sums[output] += x[input] * w[weight]
  })
  y.set(sums)
}

export const conv1dInputGradient: Kernel<'conv1dInputGradient'> = ([dy, w], [dx], params) => {
  const sums = new Float64Array(dx.length)
  forEachTap1d(params, (input, weight, output) => {
    sums[input] += dy[output] * w[weight]
  })
  dx.set(sums)
}

export const conv1dWeightGradient: Kernel<'conv1dWeightGradient'> = ([x, dy], [dw], params) => {
  const sums = new Float64Array(dw.length)
  forEachTap1d(params, (input, weight, output) => {
    sums[weight] += x[input] * dy[output]
  })
  dw.set(sums)
}

/** Depthwise convolution over two axes that keeps their size. */
export const conv2d: Kernel<'conv2d'> = ([x, w], [y], params) => {
  const sums = new Float64Array(y.length)
  forEachTap2d(params, (input, weight, output) => {
    sums[output] += x[input] * w[weight]
  })
  y.set(sums)
}

export const conv2dInputGradient: Kernel<'conv2dInputGradient'> = ([dy, w], [dx], params) => {
  const sums = new Float64Array(dx.length)
  forEachTap2d(params, (input, weight, output) => {
    sums[input] += dy[output] * w[weight]
  })
  dx.set(sums)
}

export const conv2dWeightGradient: Kernel<'conv2dWeightGradient'> = ([x, dy], [dw], params) => {
  const sums = new Float64Array(dw.length)
  forEachTap2d(params, (input, weight, output) => {
    sums[weight] += x[input] * dy[output]
  })
  dw.set(sums)
}

/** Offsets into x, w and y of one product of the sum. */
type Tap = (input: number, weight: number, output: number) => void

function forEachTap1d({ batch, time, channels, width }: Conv1dParams, tap: Tap): void {
  for (let b = 0; b < batch; b++) {
    for (let t = 0; t < time; t++) {
      for (let j = Math.max(0, width - 1 - t); j < width; j++) {
        for (let c = 0; c < channels; c++) {
          tap((b * time + t - width + 1 + j) * channels + c, c * width + j, (b * time + t) * channels + c)
        }
      }
    }
  }
}

function forEachTap2d(params: Conv2dParams, tap: Tap): void {
  const { batch, height, width, channels, kernelHeight, kernelWidth } = params
  const at = (b: number, row: number, column: number, c: number) => ((b * height + row) * width + column) * channels + c
  for (let b = 0; b < batch; b++) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        for (let i = 0; i < kernelHeight; i++) {
          for (let j = 0; j < kernelWidth; j++) {
            const r = row + i - (kernelHeight - 1) / 2
            const s = column + j - (kernelWidth - 1) / 2
            if (r < 0 || r >= height || s < 0 || s >= width) continue
            for (let c = 0; c < channels; c++) {
              tap(at(b, r, s, c), (c * kernelHeight + i) * kernelWidth + j, at(b, row, column, c))
            }
          }
        }
      }
    }
  }
}
