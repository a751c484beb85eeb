import {
  add,
  causalConv1d,
  concat,
  formatShape,
  type Generator,
  mul,
  randomNormal,
  reshape,
  sameShape,
  silu,
  slice,
  sum,
  Tensor,
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

  /** @throws RangeError when channels or the width is not a positive integer. */
  constructor(channels: number, generator: Generator, options: ShortConvolutionOptions = {}) {
    const { width = 4, bias = false, activation = 'silu' } = options
    checkPositive('channels', channels)
    checkPositive('width', width)
    this.#channels = channels
    this.#width = width
    this.#activation = activation
    this.weight = new Parameter(randomNormal(generator, [channels, 1, width], { deviation: 0.02 }))
    this.bias = bias ? new Parameter(zeros([channels])) : undefined
  }

  initialState(batchSize: number): Tensor {
    return zeros([batchSize, this.#channels, this.#width])
  }

  /**
   * x [B, T, channels] → output [B, T, channels] and the state after token T.
   * @throws RangeError when x has not these axes or the state is not [B, channels, W].
   */
  forward(x: Tensor, options: { readonly state?: Tensor } = {}): ShortConvolutionResult {
    const [batch, time] = x.shape
    if (x.rank !== 3 || x.shape[2] !== this.#channels) throw shapeError('x', x, `[B, T, ${this.#channels}]`)
    const state = options.state ?? this.initialState(batch)
    this.#checkState(state, batch)
    const before = swapped(state) // [B, W, channels]
    const history = slice(before, { axis: 1, start: 1, end: this.#width })
    const y = causalConv1d(x, this.#taps(), { history })
    const seen = time < this.#width ? concat([before, x], { axis: 1 }) : x
    const [, length] = seen.shape
    const last = slice(seen, { axis: 1, start: length - this.#width, end: length })
    return { output: this.#finish(y), state: swapped(last) }
  }

  /** x [B, channels], one token → output [B, channels]. Throws as {@link forward} does. */
  step(x: Tensor, state: Tensor): ShortConvolutionResult {
    const [batch] = x.shape
    if (x.rank !== 2 || x.shape[1] !== this.#channels) throw shapeError('x', x, `[B, ${this.#channels}]`)
    this.#checkState(state, batch)
    const older = slice(state, { axis: 2, start: 1, end: this.#width })
    const window = concat([older, reshape(x, [batch, this.#channels, 1])], { axis: 2 }) // [B, channels, W]
    return { output: this.#finish(sum(mul(window, this.#taps()), { axes: 2 })), state: window }
  }

  parameters(): Parameters {
    return collectParameters({ weight: this.weight, bias: this.bias })
  }

  /** [channels, W] */
  #taps(): Tensor {
    return reshape(this.weight.value, [this.#channels, this.#width])
  }

  #checkState(state: Tensor, batch: number): void {
    const shape = [batch, this.#channels, this.#width]
    if (!(state instanceof Tensor) || !sameShape(state.shape, shape))
      throw shapeError('state', state, formatShape(shape))
  }

  #finish(y: Tensor): Tensor {
    const shifted = this.bias === undefined ? y : add(y, this.bias.value)
    return this.#activation === 'silu' ? silu(shifted) : shifted
  }
}

function shapeError(name: string, x: Tensor, shape: string): RangeError {
  const found = x instanceof Tensor ? `has shape ${formatShape(x.shape)}` : `is ${typeof x}`
  return new RangeError(`ShortConvolution: ${name} ${found} but must be ${shape}`)
}

function checkPositive(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new RangeError(`ShortConvolution: ${name} is ${value} but must be a positive integer`)
  }
}

function swapped(x: Tensor): Tensor {
  return transpose(x, [0, 2, 1])
}
