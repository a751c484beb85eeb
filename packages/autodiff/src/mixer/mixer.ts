import type { Tensor } from '../tensor.ts'

/** Names of axes, outermost first, one letter or word each: `['B', 'T', 'H', 'K']`. One name is one extent everywhere. */
export type Axes = readonly string[]

/** Extents by axis name. */
export type Sizes = Readonly<Record<string, number>>

/** Tensors by name. */
export type Named<Name extends string> = Readonly<Record<Name, Tensor>>

export interface MixerInput {
  readonly axes: Axes
  /**
   * What values it takes: any (`real`), the logarithm of a decay (`logGate`, at most 0, from 0 to −∞), or within (0, 1)
   * (`unit`). The property kit draws accordingly, extremes included.
   */
  readonly values: 'real' | 'logGate' | 'unit'
}

/** The output and the state after the last step. */
export interface MixerResult<State extends string> {
  readonly output: Tensor
  readonly state: Named<State>
}

export interface ChunkedOptions {
  /** Steps computed in parallel. Any positive integer; the result depends on it by rounding only. */
  readonly chunkSize?: number
}

/**
 * What a sequence mixer is, defined once and computed three ways. `step` is the definition; `chunked` is the parallel
 * form written with differentiable ops; `fused` is an optimisation: one node on the tape, on executors whose kernel
 * exists. All have the same inputs, output and state.
 */
export interface MixerDefinition<Input extends string, State extends string> {
  /** Begins error messages. */
  readonly name: string
  readonly inputs: Readonly<Record<Input, MixerInput>>
  readonly output: Axes
  readonly state: Readonly<Record<State, Axes>>
  /** The axis that is scanned in order; its extent may be 0. */
  readonly scanned: string
  /** What an axis is called in messages: `{ K: 'key dim' }`. */
  readonly axisTitles?: Readonly<Record<string, string>>
  /** Extents of axes that no input has, such as the width of a feature map. */
  readonly derive?: (sizes: Sizes) => Sizes
  /** One step: inputs without the scanned axis (those that never had it as they are) and the state before. */
  readonly step: (inputs: Named<Input>, state: Named<State>) => MixerResult<State>
  /** Inputs and state were checked; the scanned axis has at least one step. Default: the recurrent form. */
  readonly chunked?: (inputs: Named<Input>, state: Named<State>, chunkSize: number) => MixerResult<State>
  /** Default chunk size. */
  readonly chunkSize: number
  readonly fused?: FusedForm<Input, State>
}

/** A form that runs kernels a package brings along. */
export interface FusedForm<Input extends string, State extends string> {
  /** Whether the tensors' executor has the kernels, for these extents. */
  readonly supports: (inputs: Named<Input>) => boolean
  readonly run: (inputs: Named<Input>, state: Named<State>) => MixerResult<State>
}

/** A sequence mixer as a value: see {@link MixerDefinition}. Every method checks its arguments before any work. */
export interface Mixer<Input extends string = string, State extends string = string> {
  readonly definition: MixerDefinition<Input, State>
  readonly name: string
  /** Whether outputs depend on earlier steps only; such mixers can be cut anywhere. */
  readonly causal: true
  /** Zeros, for the extents of these inputs. */
  initialState(inputs: Named<Input>): Named<State>
  /** One step: inputs without the scanned axis. */
  step(inputs: Named<Input>, state: Named<State>): MixerResult<State>
  /** The definition: `step` in a loop. Slow and obvious. */
  recurrent(inputs: Named<Input>, state?: Named<State>): MixerResult<State>
  /** The parallel form. @throws RangeError when chunkSize is not a positive integer. */
  chunked(inputs: Named<Input>, state?: Named<State>, options?: ChunkedOptions): MixerResult<State>
  /** Whether {@link fused} can run on these inputs' executor. */
  supportsFused(inputs: Named<Input>): boolean
  /** The fused form. @throws Error when the executor has no kernel for it. */
  fused(inputs: Named<Input>, state?: Named<State>): MixerResult<State>
  /** The fastest form there is: fused where it is supported, else chunked. */
  forward(inputs: Named<Input>, state?: Named<State>): MixerResult<State>
}
