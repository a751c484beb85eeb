import {
  add,
  causalConv1d,
  concat,
  type Generator,
  mul,
  randomNormal,
  reshape,
  silu,
  slice,
  sum,
  type Tensor,
  transpose,
  zeros,
} from '@mixtape/autodiff'
import { collectParameters, type Module, Parameter, type Parameters } from './parameter.ts'

export interface ShortConvolutionOptions {
  /** Taps, the current token included. Default 4. */
  readonly width?: number
  readonly bias?: boolean
  /** Default `silu`. */
  readonly activation?: 'silu' | 'none'
}

export interface ShortConvolutionResult {
  readonly output: Tensor
  readonly state: Tensor
}

/**
 * Causal depthwise convolution over time, then SiLU: `y_t = silu(Σ_j w[c, 0, j]·x_{t−W+1+j} + b)`, zeros before the
 * first token. `weight` [channels, 1, W], the last tap for the current token. The state is the last W inputs
 * [B, channels, W], newest last, as flash-linear-attention caches them.
 */
export class ShortConvolution implements Module {
  readonly weight: Parameter
  readonly bias: Parameter | undefined
  readonly #channels: number
  readonly #width: number
  readonly #activation: 'silu' | 'none'

  constructor(channels: number, generator: Generator, options: ShortConvolutionOptions = {}) {
    this.#channels = channels
    this.#width = options.width ?? 4
    this.#activation = options.activation ?? 'silu'
    this.weight = new Parameter(randomNormal(generator, [channels, 1, this.#width], { deviation: 0.02 }))
    this.bias = options.bias ? new Parameter(zeros([channels])) : undefined
  }

  initialState(batchSize: number): Tensor {
    return zeros([batchSize, this.#channels, this.#width])
  }

  /** x [B, T, channels] → output [B, T, channels] and the state after token T. */
  forward(x: Tensor, options: { readonly state?: Tensor } = {}): ShortConvolutionResult {
    const [batch, time] = x.shape
    const before = swapped(options.state ?? this.initialState(batch)) // [B, W, channels]
    const history = slice(before, { axis: 1, start: 1, end: this.#width })
    const y = causalConv1d(x, reshape(this.weight.value, [this.#channels, this.#width]), { history })
    const seen = concat([before, x], { axis: 1 })
    const state = swapped(slice(seen, { axis: 1, start: time, end: time + this.#width }))
    return { output: this.#finish(y), state }
  }

  /** x [B, channels], one token → output [B, channels]. */
  step(x: Tensor, state: Tensor): ShortConvolutionResult {
    const [batch, channels] = x.shape
    const older = slice(state, { axis: 2, start: 1, end: this.#width })
    const window = concat([older, reshape(x, [batch, channels, 1])], { axis: 2 }) // [B, channels, W]
    const taps = reshape(this.weight.value, [channels, this.#width])
    return { output: this.#finish(sum(mul(window, taps), { axes: 2 })), state: window }
  }

  parameters(): Parameters {
    return collectParameters({ weight: this.weight, bias: this.bias })
  }

  #finish(y: Tensor): Tensor {
    const shifted = this.bias === undefined ? y : add(y, this.bias.value)
    return this.#activation === 'silu' ? silu(shifted) : shifted
  }
}

function swapped(x: Tensor): Tensor {
  return transpose(x, [0, 2, 1])
}
