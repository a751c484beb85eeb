import type { Mixer, MixerResult } from '../mixer/mixer.ts'
import { add, mul } from '../ops/arithmetic.ts'
import { squeeze } from '../ops/layout.ts'
import { sum } from '../ops/reduce.ts'
import { concat, slice, stack } from '../ops/slicing.ts'
import { randomGenerator } from '../random.ts'
import { grad } from '../tape.ts'
import { type Tensor, tensor } from '../tensor.ts'
import type { Layout, MixerCase } from './mixer-case.ts'
import { type HostTensors, type Result, readAll, type Tensors, uploadAll } from './mixer-host.ts'

/** One way of computing a mixer. */
export type Form = (inputs: Tensors, state?: Tensors) => Result

/** A mixer whose names of inputs and state are not known to the type checker. */
export type AnyMixer = Omit<Mixer, 'definition'>

export interface HostData {
  readonly inputs: HostTensors
  readonly state: HostTensors | undefined
}

/** Runs a form: `output`, and `state S` for each part of the state. */
export function evaluate(layout: Layout, form: Form, data: HostData): Promise<HostTensors> {
  return readAll(() => {
    const result = form(uploadAll(data.inputs), data.state && uploadAll(data.state))
    const states = Object.entries(layout.state).map(([name, axes]) => [`state ${name}`, [result.state[name], axes]])
    return { output: [result.output, layout.output], ...Object.fromEntries(states) }
  })
}

/** Gradients of {@link weighted} results: `gradient of q`, and `gradient of state S` when a state is given. */
export function gradients(layout: Layout, form: Form, data: HostData, seed: number): Promise<HostTensors> {
  return readAll(() => {
    const given = { inputs: uploadAll(data.inputs), state: uploadAll(data.state ?? {}) }
    const loss = ({ inputs, state }: typeof given) =>
      weighted(form(inputs, data.state === undefined ? undefined : state), seed)
    const { inputs, state } = grad(loss)(given)
    const ofInputs = Object.entries(inputs).map(([name, d]) => [`gradient of ${name}`, [d, layout.inputs[name].axes]])
    const ofState = Object.entries(state).map(([name, d]) => [`gradient of state ${name}`, [d, layout.state[name]]])
    return Object.fromEntries([...ofInputs, ...ofState])
  })
}

/** A scalar: output and state, every element with a random weight of its own. */
export function weighted({ output, state }: MixerResult<string>, seed: number): Tensor {
  const parts = Object.entries({ ...state, output }).map(([name, x]) => {
    const generator = randomGenerator(`${seed}/weights/${name}`)
    const weights = new Float64Array(x.size).map(() => generator.normal())
    return sum(mul(x, tensor(weights, { shape: x.shape })))
  })
  return parts.reduce((total, part) => add(total, part))
}

/** Runs [0, cut), then [cut, T) from the state reached. */
export function cutInTwo(layout: Layout, form: Form, { sizes, cut }: MixerCase): Form {
  const piece = (inputs: Tensors, start: number, end: number): Tensors => {
    const pieces = Object.entries(inputs).map(([name, x]) => {
      const axis = layout.inputs[name].axes.indexOf(layout.scanned)
      return [name, axis < 0 ? x : slice(x, { axis, start, end })]
    })
    return Object.fromEntries(pieces)
  }
  return (inputs, state) => {
    const first = form(piece(inputs, 0, cut), state)
    const second = form(piece(inputs, cut, sizes[layout.scanned]), first.state)
    const axis = layout.output.indexOf(layout.scanned)
    return { output: concat([first.output, second.output], { axis }), state: second.state }
  }
}

/** `step` in a loop, from outside of the mixer. At least one step. */
export function stepped(layout: Layout, mixer: AnyMixer, { sizes }: MixerCase): Form {
  const at = (inputs: Tensors, t: number): Tensors => {
    const now = Object.entries(inputs).map(([name, x]) => {
      const axis = layout.inputs[name].axes.indexOf(layout.scanned)
      return [name, axis < 0 ? x : squeeze(slice(x, { axis, start: t, end: t + 1 }), axis)]
    })
    return Object.fromEntries(now)
  }
  return (inputs, initial) => {
    let state = initial ?? mixer.initialState(inputs)
    const outputs: Tensor[] = []
    for (let t = 0; t < sizes[layout.scanned]; t++) {
      const result = mixer.step(at(inputs, t), state)
      outputs.push(result.output)
      state = result.state
    }
    return { output: stack(outputs, { axis: layout.output.indexOf(layout.scanned) }), state }
  }
}
