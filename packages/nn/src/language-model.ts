import { add, crossEntropy, formatShape, type Generator, randomGenerator, type Tensor } from '@mixtape/autodiff'
import { Embedding, Linear } from './linear.ts'
import { type FeedForward, SwiGLU, swigluWidth } from './mlp.ts'
import { RMSNorm } from './norm.ts'
import { collectParameters, type Module, type Parameters } from './parameter.ts'
import type {
  ForwardOptions,
  LayerContext,
  LayerFactory,
  LayerResult,
  LayerState,
  SequenceLayer,
} from './sequence-layer.ts'

export interface LanguageModelOptions {
  /** Number of token ids. */
  readonly vocabulary: number
  /** Width D of the residual stream. */
  readonly width: number
  /** One entry per block, in order. Any mixers, in any mix. */
  readonly layers: readonly LayerFactory[]
  /** Inner width of the feed-forward networks. Default ⌊8/3·D⌋ rounded up to a multiple of 32. */
  readonly innerWidth?: number
  /** Makes the feed-forward network of a block. Default {@link SwiGLU}. */
  readonly feedForward?: (width: number, innerWidth: number, generator: Generator) => FeedForward
  /** Default 1e-6. */
  readonly normEpsilon?: number
  /** Seed, or source, of the initial weights. Default 0. */
  readonly seed?: number | string | Generator
}

/** A causal language model around any mixers: `languageModel({ vocabulary: 256, width: 64, layers: [gla(), attention()] })`. */
export function languageModel(options: LanguageModelOptions): LanguageModel {
  return new LanguageModel(options)
}

/**
 * Embedding, pre-norm residual blocks, a last norm and an untied head, with the parameter names of
 * flash-linear-attention's models: `model.layers.0.attn.q_proj.weight`, …, `lm_head.weight`.
 */
export class LanguageModel implements Module {
  readonly embeddings: Embedding
  readonly blocks: readonly ResidualBlock[]
  readonly norm: RMSNorm
  readonly head: Linear
  readonly vocabulary: number

  /** @throws RangeError when vocabulary or width is not a positive integer, or there are no layers. */
  constructor(options: LanguageModelOptions) {
    const { vocabulary, width, layers, normEpsilon = 1e-6, seed = 0 } = options
    checkPositive('vocabulary', vocabulary)
    checkPositive('width', width)
    if (layers.length === 0) throw new RangeError('languageModel: layers is empty but must have at least one layer')
    const generator = typeof seed === 'object' ? seed : randomGenerator(seed)
    const innerWidth = options.innerWidth ?? swigluWidth(width, 32)
    checkPositive('innerWidth', innerWidth)
    const feedForward = options.feedForward ?? ((...sizes) => new SwiGLU(...sizes))
    this.vocabulary = vocabulary
    this.embeddings = new Embedding(vocabulary, width, generator.split('embeddings'))
    this.blocks = layers.map((factory, layerIndex) => {
      const own = generator.split(`layer ${layerIndex}`)
      const context = { width, layerIndex, layerCount: layers.length, normEpsilon, generator: own.split('attn') }
      return new ResidualBlock(context, factory(context), feedForward(width, innerWidth, own.split('mlp')))
    })
    this.norm = new RMSNorm(width, { epsilon: normEpsilon })
    this.head = new Linear(width, vocabulary, generator.split('lm_head'))
  }

  initialState(batchSize: number): readonly LayerState[] {
    return this.blocks.map((block) => block.initialState(batchSize))
  }

  /**
   * ids `int32` [B, T] → logits [B, T, vocabulary] and the state after token T. Without `state` the sequence starts here.
   * @throws RangeError when ids has another rank or an id outside the vocabulary, or state has not one entry a layer.
   */
  forward(ids: Tensor, options: { readonly state?: readonly LayerState[] } = {}): ModelResult {
    if (ids.rank !== 2)
      throw new RangeError(`languageModel: ids has shape ${formatShape(ids.shape)} but must be [B, T]`)
    const { state } = options
    if (state !== undefined) this.#checkState(state)
    return this.#run(ids, (block, x, index) => block.forward(x, { state: state?.[index] }))
  }

  /**
   * One token: ids `int32` [B] → logits [B, vocabulary] and the state after it.
   * @throws RangeError as {@link forward} does.
   */
  step(ids: Tensor, state: readonly LayerState[]): ModelResult {
    if (ids.rank !== 1) throw new RangeError(`languageModel: ids has shape ${formatShape(ids.shape)} but must be [B]`)
    this.#checkState(state)
    return this.#run(ids, (block, x, index) => block.step(x, state[index]))
  }

  /** Mean cross entropy in nats over the targets that are not −100: ids, targets `int32` [B, T] → scalar. */
  loss(ids: Tensor, targets: Tensor): Tensor {
    return crossEntropy(this.forward(ids).logits, targets)
  }

  parameters(): Parameters {
    return collectParameters({
      'model.embeddings': this.embeddings,
      ...Object.fromEntries(this.blocks.map((block, index) => [`model.layers.${index}`, block])),
      'model.norm': this.norm,
      lm_head: this.head,
    })
  }

  #checkState(state: readonly LayerState[]): void {
    if (!Array.isArray(state) || state.length !== this.blocks.length) {
      const found = Array.isArray(state) ? `${state.length} entries` : `type ${typeof state}`
      throw new RangeError(
        `languageModel: state has ${found} but must be an array of ${this.blocks.length}, one a layer`,
      )
    }
  }

  #run(ids: Tensor, apply: (block: ResidualBlock, x: Tensor, index: number) => LayerResult): ModelResult {
    let x = this.embeddings.forward(ids)
    const state = this.blocks.map((block, index) => {
      const result = apply(block, x, index)
      x = result.output
      return result.state
    })
    return { logits: this.head.forward(this.norm.forward(x)), state }
  }
}

export interface ModelResult {
  readonly logits: Tensor
  readonly state: readonly LayerState[]
}

/** `x += mixer(norm(x)); x += mlp(norm(x))`. */
export class ResidualBlock implements SequenceLayer {
  readonly mixer: SequenceLayer
  readonly mlp: FeedForward
  readonly #mixerNorm: RMSNorm
  readonly #mlpNorm: RMSNorm

  constructor(context: LayerContext, mixer: SequenceLayer, mlp: FeedForward) {
    this.mixer = mixer
    this.mlp = mlp
    this.#mixerNorm = new RMSNorm(context.width, { epsilon: context.normEpsilon })
    this.#mlpNorm = new RMSNorm(context.width, { epsilon: context.normEpsilon })
  }

  initialState(batchSize: number): LayerState {
    return this.mixer.initialState(batchSize)
  }

  forward(x: Tensor, options: ForwardOptions = {}): LayerResult {
    return this.#around(x, (normed) => this.mixer.forward(normed, options))
  }

  step(x: Tensor, state: LayerState): LayerResult {
    return this.#around(x, (normed) => this.mixer.step(normed, state))
  }

  parameters(): Parameters {
    return collectParameters({
      attn_norm: this.#mixerNorm,
      attn: this.mixer,
      mlp_norm: this.#mlpNorm,
      mlp: this.mlp,
    })
  }

  #around(x: Tensor, mix: (normed: Tensor) => LayerResult): LayerResult {
    const { output, state } = mix(this.#mixerNorm.forward(x))
    const mixed = add(x, output)
    return { output: add(mixed, this.mlp.forward(this.#mlpNorm.forward(mixed))), state }
  }
}

function checkPositive(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new RangeError(`languageModel: ${name} is ${value} but must be a positive integer`)
  }
}
