import {
  concat,
  matmul,
  mul,
  reshape,
  slice,
  softmax,
  type Tensor,
  tensor,
  transpose,
  where,
  zeros,
} from '@mixtape/autodiff'
import { Linear } from './linear.ts'
import { collectParameters, type Parameters } from './parameter.ts'
import { rotary } from './rotary.ts'
import type {
  ForwardOptions,
  LayerContext,
  LayerFactory,
  LayerResult,
  LayerState,
  SequenceLayer,
} from './sequence-layer.ts'

export interface AttentionOptions {
  /** Heads; must divide the width. Default 4. */
  readonly heads?: number
  /** Keys a token sees, itself included. Default: all before it. */
  readonly window?: number
  /** Rotary position embedding on queries and keys. Default true. */
  readonly rotary?: boolean
}

/** Causal softmax attention, full or over a sliding window: the baseline of every comparison. */
export function attention(options: AttentionOptions = {}): LayerFactory {
  return (context) => new SoftmaxAttention(context, options)
}

/** Rotated keys and values [B, S, H, K] of the tokens still in sight, and the number of tokens seen. */
interface KeyValueCache {
  readonly [key: string]: LayerState
  readonly keys: Tensor
  readonly values: Tensor
  readonly position: number
}

/** `o_t = Σ_j softmax_j(K^(−1/2) q_t·k_j) v_j` over the tokens j ≤ t in sight (arXiv 1706.03762). */
export class SoftmaxAttention implements SequenceLayer {
  readonly query: Linear
  readonly key: Linear
  readonly value: Linear
  readonly output: Linear
  readonly #heads: number
  readonly #keyDim: number
  readonly #window: number
  readonly #rotary: boolean

  /** @throws RangeError when the heads do not divide the width or the window is not a positive integer. */
  constructor(context: LayerContext, options: AttentionOptions = {}) {
    const { heads = 4, window = Number.POSITIVE_INFINITY } = options
    const { width, generator } = context
    if (!Number.isInteger(heads) || heads < 1 || width % heads !== 0) {
      throw new RangeError(`attention: heads is ${heads} but must divide the width ${width}`)
    }
    if (window !== Number.POSITIVE_INFINITY && (!Number.isInteger(window) || window < 1)) {
      throw new RangeError(`attention: window is ${window} but must be a positive integer`)
    }
    this.#heads = heads
    this.#keyDim = width / heads
    this.#window = window
    this.#rotary = options.rotary ?? true
    this.query = new Linear(width, width, generator.split('q_proj'))
    this.key = new Linear(width, width, generator.split('k_proj'))
    this.value = new Linear(width, width, generator.split('v_proj'))
    this.output = new Linear(width, width, generator.split('o_proj'))
  }

  initialState(batchSize: number): KeyValueCache {
    const empty = [batchSize, 0, this.#heads, this.#keyDim]
    return { keys: zeros(empty), values: zeros(empty), position: 0 }
  }

  forward(x: Tensor, options: ForwardOptions = {}): LayerResult {
    const [batch, time, width] = x.shape
    const cache = options.state === undefined ? this.initialState(batch) : asCache(options.state)
    const split = (y: Tensor) => reshape(y, [batch, time, this.#heads, this.#keyDim])
    const turn = (y: Tensor) => (this.#rotary ? rotary(y, cache.position) : y)
    const q = turn(split(this.query.forward(x)))
    const keys = join(cache.keys, turn(split(this.key.forward(x)))) // [B, S + T, H, K]
    const values = join(cache.values, split(this.value.forward(x)))
    const seen = keys.shape[1]
    const heads = [0, 2, 1, 3] // [B, T, H, K] ↔ [B, H, T, K]
    const scores = matmul(transpose(q, heads), transpose(keys, heads), { transposeB: true }) // [B, H, T, S + T]
    const mask = this.#visible(time, seen)
    const weights = softmax(where(mask, mul(scores, this.#keyDim ** -0.5), Number.NEGATIVE_INFINITY))
    const mixed = transpose(matmul(weights, transpose(values, heads)), heads)
    const output = this.output.forward(reshape(mixed, [batch, time, width]))
    const start = Math.max(0, seen - this.#window)
    const recent = (y: Tensor) => (start === 0 ? y : slice(y, { axis: 1, start, end: seen }))
    return { output, state: { keys: recent(keys), values: recent(values), position: cache.position + time } }
  }

  step(x: Tensor, state: LayerState): LayerResult {
    const [batch, width] = x.shape
    const { output, state: next } = this.forward(reshape(x, [batch, 1, width]), { state })
    return { output: reshape(output, [batch, width]), state: next }
  }

  parameters(): Parameters {
    return collectParameters({ q_proj: this.query, k_proj: this.key, v_proj: this.value, o_proj: this.output })
  }

  /** 1 where query i of the last `time` tokens sees key j of `seen`, else 0: [T, S + T]. */
  #visible(time: number, seen: number): Tensor {
    const mask = new Float32Array(time * seen)
    for (let i = 0; i < time; i++) {
      const self = seen - time + i
      mask.fill(1, i * seen + Math.max(0, self - this.#window + 1), i * seen + self + 1)
    }
    return tensor(mask, { shape: [time, seen] })
  }
}

function join(before: Tensor, after: Tensor): Tensor {
  return before.shape[1] === 0 ? after : concat([before, after], { axis: 1 })
}

function asCache(state: LayerState): KeyValueCache {
  if (typeof state === 'object' && 'keys' in state && 'position' in state) return state as KeyValueCache
  throw new TypeError('attention: state must be one that this layer returned: { keys, values, position }')
}
