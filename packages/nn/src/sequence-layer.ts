import type { Generator, Tensor } from '@mixtape/autodiff'
import type { Module } from './parameter.ts'

/** What a layer carries from token to token: tensors with a leading batch axis, and numbers, in arrays and plain objects. */
export type LayerState = Tensor | number | readonly LayerState[] | { readonly [key: string]: LayerState }

/** What `forward` and `step` give: the output and the state to go on with. */
export interface LayerResult {
  readonly output: Tensor
  readonly state: LayerState
}

/**
 * A layer that maps sequences to sequences and can be cut anywhere: `forward` on a whole sequence, `forward` on its
 * pieces with the state carried, and `step` token by token give the same numbers.
 */
export interface SequenceLayer extends Module {
  /** The state before the first token. */
  initialState(batchSize: number): LayerState
  /** x [B, T, D] → output [B, T, D] and the state after token T. Without `state` the sequence starts here. */
  forward(x: Tensor, options?: ForwardOptions): LayerResult
  /** x [B, D], one token → output [B, D]. */
  step(x: Tensor, state: LayerState): LayerResult
}

export interface ForwardOptions {
  readonly state?: LayerState
}

/** What a model tells the layers it makes. */
export interface LayerContext {
  /** Model width D. */
  readonly width: number
  /** Source of initial weights, this layer's own. */
  readonly generator: Generator
  /** Position in the stack, from 0, and the number of layers. */
  readonly layerIndex: number
  readonly layerCount: number
  /** ε of the model's norms. */
  readonly normEpsilon: number
}

/** Makes a layer for a model. Mixer packages export functions that return these: `gla({ heads: 4 })`. */
export type LayerFactory = (context: LayerContext) => SequenceLayer
