import { add, randomGenerator, Tensor, tensor } from '@mixtape/autodiff'
import {
  collectParameters,
  countParameters,
  type LanguageModel,
  type LayerFactory,
  type LayerState,
  languageModel,
  type SequenceLayer,
  ShortConvolution,
  swigluWidth,
  type TokenBatch,
} from '@mixtape/nn'
import { mixerEntry, referenceMixer } from '../mixers.ts'
import type { Batch } from '../tasks/task.ts'

/** Sizes that all models of a comparison share. */
export interface ModelSizes {
  readonly width: number
  readonly layers: number
  readonly heads: number
}

/** Everything that determines a model but its initial weights. */
export interface ModelConfig extends ModelSizes {
  readonly vocabulary: number
  readonly mixer: string
  /** Inner width of the feed-forward networks. */
  readonly innerWidth: number
}

/**
 * The model every mixer is compared in: pre-norm blocks with a SwiGLU network, and before each mixer a residual causal
 * convolution over four tokens, `x + silu(conv(x))`: without one, few mixers can bind a token to the one before it.
 */
export function comparedModel(config: ModelConfig, seed: number): LanguageModel {
  const { vocabulary, width, layers, heads, mixer, innerWidth } = config
  const layer = afterShortConvolution(mixerEntry(mixer).layer({ heads }))
  return languageModel({ vocabulary, width, innerWidth, layers: Array.from({ length: layers }, () => layer), seed })
}

/**
 * Inner width of the feed-forward networks with which a mixer's model has as many parameters as the reference mixer's
 * model at its default inner width: to the nearest multiple of 4, at least 4.
 */
export function matchedInnerWidth(mixer: string, sizes: ModelSizes): number {
  const { width, layers } = sizes
  const surplus = mixerParameters(mixer, sizes) - mixerParameters(referenceMixer, sizes)
  const perInnerUnit = 3 * width * layers
  return Math.max(4, 4 * Math.round((swigluWidth(width, 32) - surplus / perInnerUnit) / 4))
}

/** Weights that are multiplied with every token: all but the embedding table. */
export function multipliedWeights(model: LanguageModel): number {
  return countParameters(model) - countParameters(model.embeddings)
}

/** A batch on the executor in use. */
export function tokenBatch({ batchSize, length, x, y }: Batch): TokenBatch {
  const shape = [batchSize, length]
  return { ids: tensor(x, { shape }), targets: tensor(y, { shape }) }
}

function mixerParameters(mixer: string, { width, layers, heads }: ModelSizes): number {
  const factory = mixerEntry(mixer).layer({ heads })
  const generator = randomGenerator(0)
  const one = (layerIndex: number) =>
    countParameters(factory({ width, layerIndex, layerCount: layers, normEpsilon: 1e-6, generator }))
  return Array.from({ length: layers }, (_, layerIndex) => one(layerIndex)).reduce((sum, count) => sum + count, 0)
}

interface ConvolvedState {
  readonly [key: string]: LayerState
  readonly convolution: Tensor
  readonly mixer: LayerState
}

function afterShortConvolution(factory: LayerFactory): LayerFactory {
  return (context) => {
    const mixer = factory(context)
    const convolution = new ShortConvolution(context.width, context.generator.split('conv1d'))
    const initialState = (batchSize: number): ConvolvedState => ({
      convolution: convolution.initialState(batchSize),
      mixer: mixer.initialState(batchSize),
    })
    const layer: SequenceLayer = {
      initialState,
      forward(x, { state } = {}) {
        const before = state === undefined ? undefined : asConvolved(state)
        const near = convolution.forward(x, { state: before?.convolution })
        const far = mixer.forward(add(x, near.output), { state: before?.mixer })
        return { output: far.output, state: { convolution: near.state, mixer: far.state } }
      },
      step(x, state) {
        const before = asConvolved(state)
        const near = convolution.step(x, before.convolution)
        const far = mixer.step(add(x, near.output), before.mixer)
        return { output: far.output, state: { convolution: near.state, mixer: far.state } }
      },
      parameters: () => collectParameters({ conv1d: convolution, mixer }),
    }
    return layer
  }
}

function asConvolved(state: LayerState): ConvolvedState {
  if (isConvolved(state)) return state
  throw new TypeError('comparedModel: state must be one that this layer returned: { convolution, mixer }')
}

function isConvolved(state: LayerState): state is ConvolvedState {
  return typeof state === 'object' && 'convolution' in state && state.convolution instanceof Tensor && 'mixer' in state
}
