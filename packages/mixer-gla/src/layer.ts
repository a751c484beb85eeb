import { clamp, div, logSigmoid, mul, repeat, reshape, silu, type Tensor } from '@mixtape/autodiff'
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
  ShortConvolution,
} from '@mixtape/nn'
import { asGlaState, checkedHeads, layerState } from './layer-state.ts'
import { glaMixer } from './mixer.ts'

export interface GlaOptions {
  /** H. Default 4. */
  readonly heads?: number
  /** Heads of keys, values and gates, each shared by H / keyValueHeads query heads. Default H. */
  readonly keyValueHeads?: number
  /** Width of all keys together, as a factor of the model width. Default 0.5. */
  readonly expandK?: number
  /** Width of all values together, as a factor of the model width. Default 1. */
  readonly expandV?: number
  /** Rank of the gate's projection. Default 16. */
  readonly gateRank?: number
  /** τ: divides the log gate. Default 16. */
  readonly gateNormalizer?: number
  /** Lower limit of the divided log gate. Default: none. */
  readonly clampMin?: number
  /** Width of the short convolutions on q, k and v; 0 for none. Default 0. */
  readonly convolution?: number
  readonly convolutionBias?: boolean
  /** Multiply the output by silu(x W_g). Default true. */
  readonly outputGate?: boolean
  /** ε of the output norm. Default: that of the model's norms. */
  readonly normEpsilon?: number
}

/** Gated linear attention for a model: `languageModel({ layers: [gla({ heads: 4 })], … })`. */
export function gla(options: GlaOptions = {}): LayerFactory {
  return (context) => new GatedLinearAttention(context, options)
}

const mixer = glaMixer()

/**
 * The GLA layer (arXiv 2312.06635, section 4.4), with flash-linear-attention's parameter names:
 * `o_proj(rmsNorm_V(GLA(q, k, v, g)) ⊙ silu(x W_g))`, `g = logSigmoid(x W₀ᵀ W₁ᵀ + b)/τ`. x [B, T, D] → [B, T, D];
 * state `{ S: [B, H, K, V] }`, with short convolutions also `{ q, k, v: [B, channels, W] }`.
 */
export class GatedLinearAttention implements SequenceLayer {
  readonly #heads: number
  readonly #groups: number
  readonly #keyDim: number
  readonly #valueDim: number
  readonly #options: GlaOptions
  readonly #projections: Readonly<Record<'q_proj' | 'k_proj' | 'v_proj', Linear>>
  readonly #convolutions: Readonly<Record<'q' | 'k' | 'v', ShortConvolution>> | undefined
  readonly #gateDown: Linear
  readonly #gateUp: Linear
  readonly #outputGate: Linear | undefined
  readonly #norm: RMSNorm
  readonly #output: Linear

  /** @throws RangeError when heads do not divide the widths or keyValueHeads do not divide heads. */
  constructor(context: LayerContext, options: GlaOptions = {}) {
    const { heads = 4, keyValueHeads = heads, expandK = 0.5, expandV = 1, gateRank = 16, convolution = 0 } = options
    const { width, generator } = context
    this.#keyDim = checkedHeads('gla', heads, 'key width', width * expandK)
    this.#valueDim = checkedHeads('gla', heads, 'value width', width * expandV)
    if (!Number.isInteger(keyValueHeads) || keyValueHeads < 1 || heads % keyValueHeads !== 0) {
      throw new RangeError(`gla: keyValueHeads is ${keyValueHeads} but must divide heads, ${heads}`)
    }
    this.#heads = heads
    this.#groups = heads / keyValueHeads
    this.#options = options
    const keys = keyValueHeads * this.#keyDim
    const values = keyValueHeads * this.#valueDim
    const linear = (name: string, inputs: number, outputs: number, bias: boolean = false) =>
      new Linear(inputs, outputs, generator.split(name), { bias })
    this.#projections = {
      q_proj: linear('q_proj', width, heads * this.#keyDim),
      k_proj: linear('k_proj', width, keys),
      v_proj: linear('v_proj', width, values),
    }
    const convolve = (name: string, channels: number) =>
      new ShortConvolution(channels, generator.split(name), { width: convolution, bias: options.convolutionBias })
    this.#convolutions =
      convolution === 0
        ? undefined
        : {
            q: convolve('q_conv1d', heads * this.#keyDim),
            k: convolve('k_conv1d', keys),
            v: convolve('v_conv1d', values),
          }
    this.#gateDown = linear('gk_proj.0', width, gateRank)
    this.#gateUp = linear('gk_proj.1', gateRank, keys, true)
    this.#outputGate = options.outputGate === false ? undefined : linear('g_proj', width, heads * this.#valueDim)
    this.#norm = new RMSNorm(this.#valueDim, { epsilon: options.normEpsilon ?? context.normEpsilon })
    this.#output = linear('o_proj', heads * this.#valueDim, width)
  }

  initialState(batchSize: number): LayerState {
    return layerState([batchSize, this.#heads, this.#keyDim, this.#valueDim], (name) =>
      this.#convolutions?.[name].initialState(batchSize),
    )
  }

  forward(x: Tensor, options: ForwardOptions = {}): LayerResult {
    return this.#mix(x, options.state ?? this.initialState(x.shape[0]), 'forward')
  }

  step(x: Tensor, state: LayerState): LayerResult {
    return this.#mix(x, state, 'step')
  }

  parameters(): Parameters {
    const { q, k, v } = this.#convolutions ?? {}
    return collectParameters({
      ...this.#projections,
      q_conv1d: q,
      k_conv1d: k,
      v_conv1d: v,
      'gk_proj.0': this.#gateDown,
      'gk_proj.1': this.#gateUp,
      g_proj: this.#outputGate,
      [this.#outputGate === undefined ? 'g_norm' : 'g_norm_swish_gate']: this.#norm,
      o_proj: this.#output,
    })
  }

  /** x [B, T, D], or [B, D] for one step. */
  #mix(x: Tensor, given: LayerState, form: 'forward' | 'step'): LayerResult {
    const before = asGlaState('gla', given, this.#convolutions !== undefined)
    const lead = x.shape.slice(0, -1)
    const convolved: Partial<Record<'q' | 'k' | 'v', Tensor>> = {}
    const project = (name: 'q' | 'k' | 'v') => {
      const y = this.#projections[`${name}_proj`].forward(x)
      const convolution = this.#convolutions?.[name]
      const state = before[name]
      if (convolution === undefined || state === undefined) return y
      const result = form === 'step' ? convolution.step(y, state) : convolution.forward(y, { state })
      convolved[name] = result.state
      return result.output
    }
    const shared = (y: Tensor, width: number) => {
      const heads = reshape(y, [...lead, this.#heads / this.#groups, width])
      return this.#groups === 1 ? heads : repeat(heads, { axis: -2, count: this.#groups })
    }
    const inputs = {
      q: reshape(project('q'), [...lead, this.#heads, this.#keyDim]),
      k: shared(project('k'), this.#keyDim),
      v: shared(project('v'), this.#valueDim),
      g: shared(this.#logGate(x), this.#keyDim),
    }
    const { output, state } =
      form === 'step' ? mixer.step(inputs, { S: before.S }) : mixer.forward(inputs, { S: before.S })
    const normed = reshape(this.#norm.forward(output), [...lead, this.#heads * this.#valueDim])
    const gated = this.#outputGate === undefined ? normed : mul(normed, silu(this.#outputGate.forward(x)))
    return { output: this.#output.forward(gated), state: { ...state, ...convolved } }
  }

  #logGate(x: Tensor): Tensor {
    const { gateNormalizer = 16, clampMin } = this.#options
    const g = div(logSigmoid(this.#gateUp.forward(this.#gateDown.forward(x))), gateNormalizer)
    return clampMin === undefined ? g : clamp(g, { min: clampMin })
  }
}
