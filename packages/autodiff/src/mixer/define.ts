import { reshape } from '../ops/layout.ts'
import { split, stack } from '../ops/slicing.ts'
import { formatShape, sameShape } from '../shape.ts'
import { type Tensor, zeros } from '../tensor.ts'
import type { Axes, Mixer, MixerDefinition, MixerResult, Named, Sizes } from './mixer.ts'

/** Makes a mixer of its definition: checks arguments, loops over steps, chooses the form. */
export function defineMixer<Input extends string, State extends string>(
  definition: MixerDefinition<Input, State>,
): Mixer<Input, State> {
  const { name, scanned } = definition
  const inputNames = keysOf(definition.inputs)
  const whole = (inputs: Named<Input>, state?: Named<State>) => {
    const sizes = checkInputs(definition, inputs, (axes) => axes)
    return { sizes, state: state === undefined ? zeroState(definition, inputs, sizes) : checkState(state, sizes) }
  }
  const checkState = (state: Named<State>, sizes: Sizes): Named<State> => {
    for (const key of keysOf(definition.state)) {
      const wanted = definition.state[key].map((axis) => sizes[axis])
      const given = state[key]
      if (given === undefined || !sameShape(given.shape, wanted)) {
        const found = given === undefined ? 'is missing' : `has shape ${formatShape(given.shape)}`
        const axes = definition.state[key].join(', ')
        throw new RangeError(`${name}: state ${key} ${found} but must have shape ${formatShape(wanted)}, [${axes}]`)
      }
    }
    return state
  }
  /** Runs a form over at least one step; without steps the output is empty and the state stays. */
  const scan = (sizes: Sizes, inputs: Named<Input>, state: Named<State>, run: () => MixerResult<State>) =>
    sizes[scanned] > 0 ? run() : { output: zerosOf(definition.output, sizes, inputs[inputNames[0]]), state }
  const loop = (inputs: Named<Input>, first: Named<State>, steps: number): MixerResult<State> => {
    const pieces = inputNames.map((key) => unstack(inputs[key], definition.inputs[key].axes, scanned, steps))
    let state = first
    const outputs: Tensor[] = []
    for (let t = 0; t < steps; t++) {
      const now = Object.fromEntries(inputNames.map((key, i) => [key, pieces[i][t]])) as Record<Input, Tensor>
      const result = definition.step(now, state)
      outputs.push(result.output)
      state = result.state
    }
    return { output: stack(outputs, { axis: definition.output.indexOf(scanned) }), state }
  }
  const mixer: Mixer<Input, State> = {
    definition,
    name,
    causal: true,
    initialState: (inputs) => whole(inputs).state,
    step(inputs, state) {
      const sizes = checkInputs(definition, inputs, (axes) => axes.filter((axis) => axis !== scanned))
      return definition.step(inputs, checkState(state, sizes))
    },
    recurrent(inputs, initial) {
      const { sizes, state } = whole(inputs, initial)
      return scan(sizes, inputs, state, () => loop(inputs, state, sizes[scanned]))
    },
    chunked(inputs, initial, { chunkSize = definition.chunkSize } = {}) {
      if (!Number.isInteger(chunkSize) || chunkSize < 1) {
        throw new RangeError(`${name}: chunkSize is ${chunkSize} but must be a positive integer`)
      }
      const { chunked } = definition
      if (chunked === undefined) return mixer.recurrent(inputs, initial)
      const { sizes, state } = whole(inputs, initial)
      return scan(sizes, inputs, state, () => chunked(inputs, state, chunkSize))
    },
    supportsFused: (inputs) => definition.fused?.supports(inputs) ?? false,
    fused(inputs, initial) {
      const { fused } = definition
      const { sizes, state } = whole(inputs, initial)
      if (!fused?.supports(inputs)) {
        throw new Error(`${name}: has no fused form on executor ${inputs[inputNames[0]].executor.name}`)
      }
      return scan(sizes, inputs, state, () => fused.run(inputs, state))
    },
    forward: (inputs, state) =>
      mixer.supportsFused(inputs) ? mixer.fused(inputs, state) : mixer.chunked(inputs, state),
  }
  return mixer
}

/** Extents by axis, the same in every input. @throws RangeError naming the two inputs that differ. */
function checkInputs<Input extends string, State extends string>(
  { name, inputs: specs, scanned, axisTitles = {}, derive }: MixerDefinition<Input, State>,
  inputs: Named<Input>,
  seen: (axes: Axes) => Axes,
): Sizes {
  const sizes: Record<string, number> = {}
  const source: Record<string, string> = {}
  for (const key of keysOf(specs)) {
    const axes = seen(specs[key].axes)
    const tensor: Tensor | undefined = inputs[key]
    if (tensor === undefined) throw new TypeError(`${name}: input ${key} is missing; it must be [${axes.join(', ')}]`)
    const { shape } = tensor
    if (shape.length !== axes.length) {
      throw new RangeError(
        `${name}: ${key} has shape ${formatShape(shape)} but must have ${axes.length} axes, [${axes.join(', ')}]`,
      )
    }
    axes.forEach((axis, place) => {
      const title = axisTitles[axis] === undefined ? axis : `${axisTitles[axis]} ${axis}`
      const known = sizes[axis]
      if (known !== undefined && known !== shape[place]) {
        const other = source[axis]
        const which = place === axes.length - 1 ? 'the last axis' : `axis ${place}`
        throw new RangeError(
          `${name}: ${key} has shape ${formatShape(shape)} but ${other} has ${formatShape(shapeOf(inputs, other))}; ${which} (${title}) must match`,
        )
      }
      if (shape[place] === 0 && axis !== scanned && axis !== 'B') {
        throw new RangeError(`${name}: ${key} has shape ${formatShape(shape)}; axis ${place} (${title}) must not be 0`)
      }
      sizes[axis] = shape[place]
      source[axis] ??= key
    })
  }
  return { ...sizes, ...derive?.(sizes) }
}

function shapeOf(inputs: Readonly<Record<string, Tensor>>, key: string): readonly number[] {
  return inputs[key].shape
}

function zeroState<Input extends string, State extends string>(
  definition: MixerDefinition<Input, State>,
  inputs: Named<Input>,
  sizes: Sizes,
): Named<State> {
  const like = inputs[keysOf(definition.inputs)[0]]
  const entries = keysOf(definition.state).map((key) => [key, zerosOf(definition.state[key], sizes, like)])
  return Object.fromEntries(entries) as Record<State, Tensor>
}

function zerosOf(axes: Axes, sizes: Sizes, { dtype, executor }: Tensor): Tensor {
  const shape = axes.map((axis) => sizes[axis])
  return zeros(shape, { dtype, executor })
}

/** The steps of an input along the scanned axis; an input without it is the same at every step. */
function unstack(x: Tensor, axes: Axes, scanned: string, length: number): readonly Tensor[] {
  const axis = axes.indexOf(scanned)
  if (axis < 0) return new Array<Tensor>(length).fill(x)
  return split(x, { axis, sizes: 1 }).map((piece) => reshape(piece, x.shape.toSpliced(axis, 1)))
}

function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(record) as Key[]
}
