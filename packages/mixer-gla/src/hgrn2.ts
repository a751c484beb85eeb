import { add, log, logSigmoid, mul, neg, reshape, sigmoid, silu, sub, type Tensor } from '@mixtape/autodiff'
import {
  collectParameters,
  type ForwardOptions,
  type LayerContext,
  type LayerFactory,
  type LayerResult,
  type LayerState,
  Linear,
  type Parameters,
  RMSNorm,
  type SequenceLayer,
} from '@mixtape/nn'
import { asGlaState, checkedHeads, layerState } from './layer-state.ts'
import { glaMixer } from './mixer.ts'

export interface Hgrn2Options {
  /** H; keys and values have D / H channels each. Default: heads of 128 channels. */
  readonly heads?: number
  /** Least decay of each channel, [D], in [0, 1). Default: none. */
  readonly lowerBound?: Tensor
}

/** HGRN2 for a model. */
export function hgrn2(options: Hgrn2Options = {}): LayerFactory {
  return (context) => new HGRN2Attention(context, options)
}

const mixer = glaMixer()

/**
 * HGRN2 (arXiv 2404.07904): gated linear attention whose keys are what the gate lets go,
 * `α = lb + (1 − lb)·sigmoid(x W_f)`, `g = log α`, `k = 1 − α`, `q = silu(x W_q)`, `v = x W_i`, then RMSNorm over all
 * channels and `o_proj`. State `{ S: [B, H, K, V] }`.
 */
export class HGRN2Attention implements SequenceLayer {
  readonly #heads: number
  readonly #headDim: number
  readonly #lowerBound: Tensor | undefined
  readonly #linear: Readonly<Record<'q_proj' | 'f_proj' | 'i_proj' | 'o_proj', Linear>>
  readonly #norm: RMSNorm

  /** @throws RangeError when heads do not divide the width or the lower bound is not [D]. */
  constructor({ width, generator }: LayerContext, options: Hgrn2Options = {}) {
    const { heads = width / 128, lowerBound } = options
    this.#headDim = checkedHeads('hgrn2', heads, 'width', width)
    if (lowerBound !== undefined && (lowerBound.rank !== 1 || lowerBound.size !== width)) {
      throw new RangeError(`hgrn2: lowerBound is ${lowerBound} but must have shape [${width}]`)
    }
    this.#heads = heads
    this.#lowerBound = lowerBound
    const square = (name: string) => new Linear(width, width, generator.split(name))
    this.#linear = {
      q_proj: square('q_proj'),
      f_proj: square('f_proj'),
      i_proj: square('i_proj'),
      o_proj: square('o_proj'),
    }
    this.#norm = new RMSNorm(width)
  }

  initialState(batchSize: number): LayerState {
    return layerState([batchSize, this.#heads, this.#headDim, this.#headDim], () => undefined)
  }

  forward(x: Tensor, options: ForwardOptions = {}): LayerResult {
    return this.#mix(x, options.state ?? this.initialState(x.shape[0]), 'forward')
  }

  step(x: Tensor, state: LayerState): LayerResult {
    return this.#mix(x, state, 'step')
  }

  parameters(): Parameters {
    return collectParameters({ ...this.#linear, g_norm: this.#norm })
  }

  #mix(x: Tensor, given: LayerState, form: 'forward' | 'step'): LayerResult {
    const { S } = asGlaState('hgrn2', given, false)
    const split = (y: Tensor) => reshape(y, [...x.shape.slice(0, -1), this.#heads, this.#headDim])
    const { g, k } = this.#gate(this.#linear.f_proj.forward(x))
    const inputs = {
      q: split(silu(this.#linear.q_proj.forward(x))),
      k: split(k),
      v: split(this.#linear.i_proj.forward(x)),
      g: split(g),
    }
    const { output, state } = form === 'step' ? mixer.step(inputs, { S }) : mixer.forward(inputs, { S })
    return { output: this.#linear.o_proj.forward(this.#norm.forward(reshape(output, x.shape))), state: { ...state } }
  }

  /** log α and 1 − α, without cancellation. */
  #gate(f: Tensor): { g: Tensor; k: Tensor } {
    const lower = this.#lowerBound
    if (lower === undefined) return { g: logSigmoid(f), k: sigmoid(neg(f)) }
    const rest = sub(1, lower)
    return { g: log(add(lower, mul(rest, sigmoid(f)))), k: mul(rest, sigmoid(neg(f))) }
  }
}
