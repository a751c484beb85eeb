import { type Mixer, type Named, Tensor } from '@mixtape/autodiff'
import type { LayerState, SequenceLayer } from '@mixtape/nn'

/** Tensors of a golden file by name, without their prefix. */
export type Tensors = Readonly<Record<string, Tensor>>

/** The options of a golden file, parsed from its metadata. */
export type Config = Readonly<Record<string, unknown>>

/** Computes the outputs of a golden file in one form. */
export type Compute = (inputs: Tensors, parameters: Tensors, config: Config) => Tensors

export interface GoldenOp {
  /** Relative to the largest magnitude of the expected tensor. */
  readonly tolerance: { readonly float64: number; readonly forward: number; readonly gradient: number }
  /** By name: `recurrent`, `chunked C=16`, … */
  readonly forms: Readonly<Record<string, Compute>>
}

/** Chunk sizes every parallel form is tried with: one step, odd, a power of two, the default, longer than the sequence. */
const chunkSizes = [1, 7, 16, 64, 128]

/** Every form of a mixer, given how its arguments come from a file's tensors. */
export function mixerForms<Input extends string, State extends string>(
  make: (parameters: Tensors, config: Config) => Mixer<Input, State>,
  read: (inputs: Tensors) => { inputs: Named<Input>; state: Named<State> | undefined },
  name: (state: Named<State>) => Tensors,
): Pick<GoldenOp, 'forms'> {
  type Run = (
    mixer: Mixer<Input, State>,
    inputs: Named<Input>,
    state?: Named<State>,
  ) => ReturnType<typeof mixer.recurrent>
  const form =
    (run: Run): Compute =>
    (tensors, parameters, config) => {
      const { inputs, state } = read(tensors)
      const result = run(make(parameters, config), inputs, state)
      return { o: result.output, ...name(result.state) }
    }
  return {
    forms: {
      recurrent: form((mixer, inputs, state) => mixer.recurrent(inputs, state)),
      ...Object.fromEntries(
        chunkSizes.map((chunkSize) => [
          `chunked C=${chunkSize}`,
          form((mixer, inputs, state) => mixer.chunked(inputs, state, { chunkSize })),
        ]),
      ),
    },
  }
}

/** A layer's forms: whole sequences, pieces with the state carried, and token by token. */
export function layerForms(
  make: (inputs: Tensors, config: Config) => SequenceLayer,
  start: (layer: SequenceLayer, inputs: Tensors) => LayerState,
  name: (state: LayerState) => Tensors,
  ops: {
    readonly slice: (x: Tensor, start: number, end: number) => Tensor
    readonly join: (parts: Tensor[]) => Tensor
  },
): Pick<GoldenOp, 'forms'> {
  const inPieces =
    (pieces: (time: number) => readonly number[]): Compute =>
    (inputs, parameters, config) => {
      const layer = make(inputs, config)
      const own = layer.parameters()
      for (const [key, value] of Object.entries(parameters)) {
        if (own[key] === undefined) throw new Error(`the layer has no parameter ${key}`)
        own[key].value = value
      }
      let state = start(layer, inputs)
      let from = 0
      const outputs = pieces(inputs.x.shape[1]).map((length) => {
        const result = layer.forward(ops.slice(inputs.x, from, from + length), { state })
        from += length
        state = result.state
        return result.output
      })
      return { o: ops.join(outputs), ...name(state) }
    }
  return {
    forms: {
      whole: inPieces((time) => [time]),
      'cut in three': inPieces((time) => [1, Math.floor(time / 2), time - 1 - Math.floor(time / 2)]),
      'token by token': inPieces((time) => new Array<number>(time).fill(1)),
    },
  }
}

/** The tensors of a plain-object state. */
export function tensorsOf(state: LayerState): Tensors {
  if (typeof state !== 'object' || state instanceof Tensor || Array.isArray(state)) return {}
  return Object.fromEntries(
    Object.entries(state).flatMap(([key, value]) => (value instanceof Tensor ? [[key, value] as const] : [])),
  )
}
