import type { Level } from './task.ts'

/** Training budget of one run (task, mixer, seed) in FLOP: `aim` where possible, `most` always. */
export interface Budget {
  readonly aim: number
  readonly most: number
}

/** Budgets of evaluation spec §1.1. At `paper` the literature decides. */
export const budgets: Readonly<Record<Level, Budget>> = {
  smoke: { aim: 2e10, most: 2e10 },
  small: { aim: 1e11, most: 1e12 },
  paper: { aim: Number.POSITIVE_INFINITY, most: Number.POSITIVE_INFINITY },
}

export interface TrainingCost {
  /** P: all weights but the embedding table; the output head counts. */
  readonly weights: number
  /** Tokens read in training: steps · batch size · length. */
  readonly tokens: number
  /** What the mixers of all layers compute per token in a forward pass besides products with weights. Default 0. */
  readonly mixerFlopPerToken?: number
}

/**
 * Estimated training cost in FLOP: 6·P·tokens, plus three times the mixers' own forward work (evaluation spec §1.1).
 *
 * @throws RangeError when an argument is negative or not finite
 */
export function flopEstimate({ weights, tokens, mixerFlopPerToken = 0 }: TrainingCost): number {
  for (const [name, value] of Object.entries({ weights, tokens, mixerFlopPerToken })) {
    if (!(value >= 0 && Number.isFinite(value))) {
      throw new RangeError(`flopEstimate: ${name} is ${value} but must be a finite number of at least 0`)
    }
  }
  return tokens * (6 * weights + 3 * mixerFlopPerToken)
}

/**
 * Forward work per token of one layer of causal softmax attention over sequences of `length`, in FLOP: scores and weighted
 * sum over (length + 1)/2 keys on average, 2·width each.
 */
export function attentionFlopPerToken({ length, width }: { readonly length: number; readonly width: number }): number {
  return 2 * (length + 1) * width
}

/**
 * Forward work per token of one layer of a linear recurrence with a matrix state, in FLOP: decay (1), write (2) and read
 * (2) of each of heads·keyDim·valueDim elements. What a chunked form computes in addition is not counted.
 */
export function recurrenceFlopPerToken(sizes: {
  readonly heads: number
  readonly keyDim: number
  readonly valueDim: number
}): number {
  return 5 * sizes.heads * sizes.keyDim * sizes.valueDim
}
