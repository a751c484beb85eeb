import type { CoreKernelName, CoreKernels } from '../executor.ts'
import { formatShape, type Shape } from '../shape.ts'
import { record } from '../tape.ts'
import { emptyTensor, type Tensor } from '../tensor.ts'
import { add } from './arithmetic.ts'
import { checkOperands } from './elementwise.ts'
import { concat, slice } from './slicing.ts'

export interface CausalConv1dOptions {
  /** [C], added to every output. */
  readonly bias?: Tensor
  /** The W − 1 inputs before the first, [B, W − 1, C]. Default: zeros. */
  readonly history?: Tensor
}

/**
 * Causal depthwise convolution over time: `y_t = Σ_j w[c, j]·x_{t−W+1+j} + b`. x [B, T, C], weight [C, W] → [B, T, C];
 * the last tap meets the current input.
 * @throws RangeError when the channels differ or history is not [B, W − 1, C].
 */
export function causalConv1d(x: Tensor, weight: Tensor, options: CausalConv1dOptions = {}): Tensor {
  const { bias, history } = options
  checkOperands('causalConv1d', [x, weight, ...(bias ? [bias] : []), ...(history ? [history] : [])])
  if (x.rank !== 3 || weight.rank !== 2 || weight.shape[0] !== x.shape[2] || weight.shape[1] === 0) {
    throw new RangeError(
      `causalConv1d: x has shape ${formatShape(x.shape)} and weight ${formatShape(weight.shape)} but must be [B, T, C] and [C, W]`,
    )
  }
  const [batch, time, channels] = x.shape
  const past = weight.shape[1] - 1
  let y: Tensor
  if (history === undefined) y = conv1d(x, weight)
  else {
    if (formatShape(history.shape) !== formatShape([batch, past, channels])) {
      throw new RangeError(
        `causalConv1d: history has shape ${formatShape(history.shape)} but must be ${formatShape([batch, past, channels])}`,
      )
    }
    y = slice(conv1d(concat([history, x], { axis: 1 }), weight), { axis: 1, start: past, end: past + time })
  }
  return bias === undefined ? y : add(y, bias)
}

/**
 * Depthwise convolution over two axes with zero padding that keeps their extents: x [B, H, W, C],
 * weight [C, kh, kw] with odd kh and kw → [B, H, W, C].
 * @throws RangeError when the channels differ or a kernel extent is even.
 */
export function depthwiseConv2d(x: Tensor, weight: Tensor): Tensor {
  checkOperands('depthwiseConv2d', [x, weight])
  const [channels, kernelHeight, kernelWidth] = weight.shape
  if (x.rank !== 4 || weight.rank !== 3 || channels !== x.shape[3] || kernelHeight % 2 !== 1 || kernelWidth % 2 !== 1) {
    throw new RangeError(
      `depthwiseConv2d: x has shape ${formatShape(x.shape)} and weight ${formatShape(weight.shape)} but must be [B, H, W, C] and [C, kh, kw] with odd kh, kw`,
    )
  }
  const [batch, height, width] = x.shape
  const params = { batch, height, width, channels, kernelHeight, kernelWidth }
  return bilinear(['conv2d', 'conv2dInputGradient', 'conv2dWeightGradient'], x, weight, x.shape, params)
}

function conv1d(x: Tensor, weight: Tensor): Tensor {
  const [batch, time, channels] = x.shape
  const params = { batch, time, channels, width: weight.shape[1] }
  return bilinear(['conv1d', 'conv1dInputGradient', 'conv1dWeightGradient'], x, weight, x.shape, params)
}

/**
 * A convolution y, or a gradient of one: each of the three kernels is bilinear in its operands, and its gradients are
 * the other two. `y(x, w)`, `dx(dy, w)`, `dw(x, dy)`.
 */
function bilinear<Name extends CoreKernelName>(
  kernels: readonly [Name, Name, Name],
  x: Tensor,
  weight: Tensor,
  shape: Shape,
  params: CoreKernels[Name],
): Tensor {
  const [forward, inputGradient, weightGradient] = kernels
  const run = (kernel: Name, a: Tensor, b: Tensor, outputShape: Shape): Tensor => {
    const buffers = [a.buffer, b.buffer]
    const output = emptyTensor(a.executor, a.dtype, outputShape)
    a.executor.run(kernel, buffers, [output.buffer], params)
    return output
  }
  const y = (a: Tensor, w: Tensor): Tensor => {
    const output = run(forward, a, w, shape)
    record({
      name: forward,
      inputs: [a, w],
      outputs: [output],
      saved: [a, w],
      backward: ([g], [needsA, needsW]) => [needsA ? dx(g, w) : undefined, needsW ? dw(a, g) : undefined],
    })
    return output
  }
  const dx = (g: Tensor, w: Tensor): Tensor => {
    const output = run(inputGradient, g, w, x.shape)
    record({
      name: inputGradient,
      inputs: [g, w],
      outputs: [output],
      saved: [g, w],
      backward: ([h], [needsG, needsW]) => [needsG ? y(h, w) : undefined, needsW ? dw(h, g) : undefined],
    })
    return output
  }
  const dw = (a: Tensor, g: Tensor): Tensor => {
    const output = run(weightGradient, a, g, weight.shape)
    record({
      name: weightGradient,
      inputs: [a, g],
      outputs: [output],
      saved: [a, g],
      backward: ([h], [needsA, needsG]) => [needsA ? dx(g, h) : undefined, needsG ? y(a, h) : undefined],
    })
    return output
  }
  return y(x, weight)
}
