import {
  concat,
  formatShape,
  matmul,
  mul,
  reshape,
  sameShape,
  slice,
  softmax,
  Tensor,
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

/** Rotated keys and values [B, S, H, K] of the tokens the next one sees, and the number of tokens before it. */
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

  /**
   * @throws RangeError when the heads do not divide the width, leave an odd number of channels to rotary, or the window is
   * not a positive integer.
   */
  constructor(context: LayerContext, options: AttentionOptions = {}) {
    const { heads = 4, window = Number.POSITIVE_INFINITY, rotary: turns = true } = options
    const { width, generator } = context
    if (!Number.isInteger(heads) || heads < 1 || width % heads !== 0) {
      throw new RangeError(`attention: heads is ${heads} but must divide the width ${width}`)
    }
    if (turns && (width / heads) % 2 !== 0) {
      throw new RangeError(`attention: ${width / heads} channels a head are odd; rotary needs an even number`)
    }
    if (window !== Number.POSITIVE_INFINITY && (!Number.isInteger(window) || window < 1)) {
      throw new RangeError(`attention: window is ${window} but must be a positive integer`)
    }
    this.#heads = heads
    this.#keyDim = width / heads
    this.#window = window
    this.#rotary = turns
    this.query = new Linear(width, width, generator.split('q_proj'))
    this.key = new Linear(width, width, generator.split('k_proj'))
    this.value = new Linear(width, width, generator.split('v_proj'))
    this.output = new Linear(width, width, generator.split('o_proj'))
  }

  initialState(batchSize: number): KeyValueCache {
    const empty = [batchSize, 0, this.#heads, this.#keyDim]
    return { keys: zeros(empty), values: zeros(empty), position: 0 }
  }

  /**
   * x [B, T, D] → output [B, T, D]. The state holds the keys that a next token sees: all, or the last `window` − 1.
   * @throws RangeError when x is not [B, T, D]; TypeError when the state is not one of this layer for B sequences.
   */
  forward(x: Tensor, options: ForwardOptions = {}): LayerResult {
    const [batch, time, width] = x.shape
    if (x.rank !== 3 || width !== this.#heads * this.#keyDim) {
      throw new RangeError(
        `attention: x has shape ${formatShape(x.shape)} but must be [B, T, ${this.#heads * this.#keyDim}]`,
      )
    }
    const cache = options.state === undefined ? this.initialState(batch) : this.#asCache(options.state, batch)
    const split = (y: Tensor) => reshape(y, [batch, time, this.#heads, this.#keyDim])
    const turn = (y: Tensor) => (this.#rotary ? rotary(y, cache.position) : y)
    const q = turn(split(mul(this.query.forward(x), this.#keyDim ** -0.5)))
    const keys = join(cache.keys, turn(split(this.key.forward(x)))) // [B, S + T, H, K]
    const values = join(cache.values, split(this.value.forward(x)))
    const seen = keys.shape[1]
    const heads = [0, 2, 1, 3] // [B, T, H, K] ↔ [B, H, T, K]
    const scores = matmul(transpose(q, heads), transpose(keys, heads), { transposeB: true }) // [B, H, T, S + T]
    const weights = softmax(this.#hideUnseen(scores))
    const mixed = transpose(matmul(weights, transpose(values, heads)), heads)
    const output = this.output.forward(reshape(mixed, [batch, time, width]))
    const start = Math.max(0, seen - this.#window + 1)
    const recent = (y: Tensor) => slice(y, { axis: 1, start, end: seen })
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

  /** Scores [B, H, T, S + T] with −∞ where query i of the last T tokens does not see key j. */
  #hideUnseen(scores: Tensor): Tensor {
    const [time, seen] = scores.shape.slice(-2)
    if (time === 1 && seen <= this.#window) return scores
    const mask = new Float32Array(time * seen)
    for (let i = 0; i < time; i++) {
      const self = seen - time + i
      mask.fill(1, i * seen + Math.max(0, self - this.#window + 1), i * seen + self + 1)
    }
    const visible = tensor(mask, { shape: [time, seen], dtype: scores.dtype })
    return where(visible, scores, Number.NEGATIVE_INFINITY)
  }

  #asCache(state: LayerState, batch: number): KeyValueCache {
    if (typeof state === 'object' && 'keys' in state && 'values' in state && 'position' in state) {
      const { keys, values, position } = state
      if (keys instanceof Tensor && values instanceof Tensor && typeof position === 'number') {
        const shape = [batch, keys.shape[1], this.#heads, this.#keyDim]
        if (sameShape(keys.shape, shape) && sameShape(values.shape, shape)) return { keys, values, position }
        throw new TypeError(
          `attention: state has keys ${formatShape(keys.shape)} and values ${formatShape(values.shape)} but both must be [${batch}, S, ${this.#heads}, ${this.#keyDim}]`,
        )
      }
    }
    throw new TypeError('attention: state must be one that this layer returned: { keys, values, position }')
  }
}

function join(before: Tensor, after: Tensor): Tensor {
  return before.shape[1] === 0 ? after : concat([before, after], { axis: 1 })
}
