import { gla } from '@mixtape/mixer-gla'
import { attention, type LayerFactory } from '@mixtape/nn'
import { attentionFlopPerToken, recurrenceFlopPerToken } from './tasks/budget.ts'

/** A sequence mixer as the suite compares it. */
export interface MixerEntry {
  /** For tables and legends. */
  readonly title: string
  /** What is not plain about it, for whoever wants to repeat a comparison. */
  readonly settings: string
  readonly layer: (options: { readonly heads: number }) => LayerFactory
  /** Forward work per token of one layer besides products with weights, in FLOP. */
  readonly flopPerToken: (sizes: MixerSizes) => number
}

export interface MixerSizes {
  readonly heads: number
  readonly width: number
  /** Tokens per sequence. */
  readonly length: number
}

const WINDOW = 16

/** Every mixer the command line knows, by id. */
export const mixers: Readonly<Record<string, MixerEntry>> = {
  gla: {
    title: 'Gated linear attention',
    settings: 'keys half as wide as values; convolutions over four tokens on queries, keys and values',
    layer: ({ heads }) => gla({ heads, convolution: 4 }),
    flopPerToken: ({ heads, width }) =>
      recurrenceFlopPerToken({ heads, keyDim: width / (2 * heads), valueDim: width / heads }),
  },
  attention: {
    title: 'Softmax attention',
    settings: 'rotary positions',
    layer: ({ heads }) => attention({ heads }),
    flopPerToken: attentionFlopPerToken,
  },
  'window-attention': {
    title: `Softmax attention over ${WINDOW} tokens`,
    settings: `rotary positions; a token sees itself and the ${WINDOW - 1} before it`,
    layer: ({ heads }) => attention({ heads, window: WINDOW }),
    flopPerToken: ({ length, width }) => attentionFlopPerToken({ length: Math.min(length, 2 * WINDOW - 1), width }),
  },
}

/** The mixer whose model sets the number of parameters that every other mixer's model is matched to. */
export const referenceMixer = 'attention'

/** @throws RangeError when no mixer has this id; the message lists those that there are. */
export function mixerEntry(id: string): MixerEntry {
  if (!Object.hasOwn(mixers, id)) {
    throw new RangeError(`mixer is ${id} but must be one of ${Object.keys(mixers).join(', ')}`)
  }
  return mixers[id]
}
