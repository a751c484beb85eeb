import { free, type Generator, scope, tensor, tensorsIn } from '@mixtape/autodiff'
import type { LanguageModel } from './language-model.ts'

export interface SamplingOptions {
  /** Divides the logits; 0 takes the most likely token. Default 1. */
  readonly temperature?: number
  /** Only the k most likely tokens. Default: all. */
  readonly topK?: number
  /** Only the fewest most likely tokens whose probabilities reach p together (arXiv 1904.09751). Default 1. */
  readonly topP?: number
}

export interface GenerateOptions extends SamplingOptions {
  /** Token ids to continue; at least one. */
  readonly prompt: readonly number[]
  /** Tokens to generate. */
  readonly tokens: number
  readonly generator: Generator
}

/**
 * Generates token ids one by one through the model's recurrent step: constant work and memory a token for linear-time
 * mixers.
 * @throws RangeError, at once, when the prompt is empty or has ids outside the vocabulary, tokens is not a non-negative
 * integer, or a sampling option is out of range.
 */
export function generate(model: LanguageModel, options: GenerateOptions): AsyncGenerator<number, void, undefined> {
  const { prompt, tokens } = options
  if (prompt.length === 0) throw new RangeError('generate: prompt is empty but must have at least one token')
  const stray = prompt.find((id) => !(Number.isInteger(id) && id >= 0 && id < model.vocabulary))
  if (stray !== undefined) {
    throw new RangeError(`generate: prompt has token ${stray} but ids must be integers in [0, ${model.vocabulary})`)
  }
  if (!Number.isInteger(tokens) || tokens < 0) {
    throw new RangeError(`generate: tokens is ${tokens} but must be a non-negative integer`)
  }
  checkSampling(options)
  return run(model, options)
}

async function* run(model: LanguageModel, options: GenerateOptions): AsyncGenerator<number, void, undefined> {
  const { prompt, tokens, generator } = options
  if (tokens === 0) return
  let current = scope(() => model.forward(tensor([[...prompt]], { dtype: 'int32' })))
  try {
    for (let made = 1; ; made++) {
      const logits = await current.logits.data()
      const id = sampleToken(logits.subarray(logits.length - model.vocabulary), generator, options)
      yield id
      if (made === tokens) return
      const next = scope(() => model.step(tensor([id], { dtype: 'int32' }), current.state))
      const kept = new Set(tensorsIn(next))
      free(tensorsIn(current).filter((old) => !kept.has(old)))
      current = next
    }
  } finally {
    free(tensorsIn(current))
  }
}

/**
 * Draws one token id from logits. Ties at the edge of top-k go to the lower id.
 * @throws RangeError when temperature is negative, topK is not a positive integer, or topP is not in (0, 1]; Error when
 * there are no logits, one is NaN, or none is above −∞.
 */
export function sampleToken(logits: ArrayLike<number>, generator: Generator, options: SamplingOptions = {}): number {
  checkSampling(options)
  checkLogits(logits)
  const { temperature = 1, topK = logits.length, topP = 1 } = options
  const order = Array.from({ length: logits.length }, (_, id) => id).sort((a, b) => logits[b] - logits[a] || a - b)
  if (temperature === 0) return order[0]
  const candidates = order.slice(0, topK)
  const most = logits[candidates[0]]
  const weights = candidates.map((id) => Math.exp((logits[id] - most) / temperature))
  const kept = nucleus(weights, topP)
  let left = generator.uniform() * weights.slice(0, kept).reduce((total, weight) => total + weight, 0)
  for (let i = 0; i < kept; i++) {
    left -= weights[i]
    if (left < 0) return candidates[i]
  }
  return candidates[kept - 1]
}

/** How many of the weights, largest first, are needed to reach the share p of their sum. */
function nucleus(weights: readonly number[], p: number): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let reached = 0
  for (let count = 1; count <= weights.length; count++) {
    reached += weights[count - 1]
    if (reached >= p * total) return count
  }
  return weights.length
}

function checkLogits(logits: ArrayLike<number>): void {
  if (logits.length === 0) throw new Error('generate: logits is empty')
  let most = Number.NEGATIVE_INFINITY
  for (let id = 0; id < logits.length; id++) {
    if (Number.isNaN(logits[id])) throw new Error(`generate: logit ${id} is NaN`)
    most = Math.max(most, logits[id])
  }
  if (!Number.isFinite(most)) throw new Error(`generate: the largest logit is ${most} but must be finite`)
}

function checkSampling({ temperature = 1, topK = 1, topP = 1 }: SamplingOptions): void {
  if (!(temperature >= 0 && temperature < Number.POSITIVE_INFINITY))
    throw new RangeError(`generate: temperature is ${temperature} but must be a finite number, 0 or more`)
  if (!Number.isInteger(topK) || topK < 1)
    throw new RangeError(`generate: topK is ${topK} but must be a positive integer`)
  if (!(topP > 0 && topP <= 1)) throw new RangeError(`generate: topP is ${topP} but must be in (0, 1]`)
}
