import { memory } from '../memory.ts'
import { scope } from '../scope.ts'
import type { Layout } from './mixer-case.ts'
import type { AnyMixer, HostData } from './mixer-forms.ts'
import { type HostTensor, type HostTensors, type Tensors, uploadAll } from './mixer-host.ts'

/** Something wrong with the arguments, and names of which the message must have one. */
interface Fault {
  readonly what: string
  readonly data: HostData
  readonly names: readonly string[]
}

/**
 * Each input and state missing, of another rank and of another extent along each axis, and chunk sizes that are none.
 * @throws Error when one is accepted, or refused by an error that does not name the mixer and the input, or after work.
 */
export function expectRefusals(layout: Layout, mixer: AnyMixer, data: HostData): void {
  for (const fault of [...wrongInputs(layout, data), ...wrongStates(layout, data)]) {
    expectRefusal(mixer, 'recurrent', fault, (inputs, state) => mixer.recurrent(inputs, state))
    expectRefusal(mixer, 'chunked', fault, (inputs, state) => mixer.chunked(inputs, state))
    expectRefusal(mixer, 'forward', fault, (inputs, state) => mixer.forward(inputs, state))
  }
  for (const chunkSize of [0, -1, 1.5, Number.NaN]) {
    const fault = { what: `chunkSize ${chunkSize}`, data, names: ['chunkSize'] }
    expectRefusal(mixer, 'chunked', fault, (inputs, state) => mixer.chunked(inputs, state, { chunkSize }))
  }
}

function wrongInputs(layout: Layout, { inputs, state = {} }: HostData): Fault[] {
  return Object.entries(inputs).flatMap(([name, host]) => {
    const changed = (what: string, wrong: HostTensor, names = [name]): Fault => ({
      what: `${name} ${what}`,
      data: { inputs: { ...inputs, [name]: wrong }, state },
      names,
    })
    const { [name]: _, ...others } = inputs
    const grown = host.axes.flatMap((axis) => {
      const shared = Object.values(others).some(({ axes }) => axes.includes(axis))
      const states = Object.keys(layout.state).filter((key) => layout.state[key].includes(axis))
      // an axis that only the state shares is the state's mistake as much as the input's
      if (shared) return [changed(`with another extent of ${axis}`, grow(host, axis))]
      return states.length > 0 ? [changed(`with another extent of ${axis}`, grow(host, axis), [name, ...states])] : []
    })
    return [
      { what: `${name} missing`, data: { inputs: others, state }, names: [name] },
      changed('with an axis more', withAxis(host)),
      ...grown,
    ]
  })
}

function wrongStates(layout: Layout, { inputs, state = {} }: HostData): Fault[] {
  return Object.entries(state).flatMap(([name, host]) => {
    const { [name]: _, ...others } = state
    const changed = (what: string, changedState: HostTensors): Fault => ({
      what: `state ${name} ${what}`,
      data: { inputs, state: changedState },
      names: [name],
    })
    return [
      changed('missing', others),
      changed('with an axis more', { ...state, [name]: withAxis(host) }),
      ...layout.state[name].map((axis) =>
        changed(`with another extent of ${axis}`, { ...state, [name]: grow(host, axis) }),
      ),
    ]
  })
}

function expectRefusal(
  mixer: AnyMixer,
  form: string,
  { what, data, names }: Fault,
  run: (inputs: Tensors, state: Tensors) => unknown,
): void {
  scope(() => {
    const inputs = uploadAll(data.inputs)
    const state = uploadAll(data.state ?? {})
    const before = memory().liveBuffers
    const message = messageOf(() => run(inputs, state))
    if (message === undefined) throw new Error(`${form}: ${what} was accepted but must be refused`)
    const named = names.some((name) => new RegExp(`(^|\\W)${name}(\\W|$)`).test(message))
    if (!message.startsWith(`${mixer.name}: `) || !named) {
      const wanted = `must begin with "${mixer.name}: " and name ${names.join(' or ')}`
      throw new Error(`${form}: ${what} gave the error "${message}", which ${wanted}`)
    }
    if (memory().liveBuffers !== before) throw new Error(`${form}: ${what} was refused only after work had begun`)
  })
}

function messageOf(run: () => unknown): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function grow(host: HostTensor, axis: string): HostTensor {
  const at = host.axes.indexOf(axis)
  return zerosOf(host, host.shape.with(at, host.shape[at] + 1))
}

function withAxis(host: HostTensor): HostTensor {
  return zerosOf(host, [...host.shape, 1])
}

function zerosOf(host: HostTensor, shape: readonly number[]): HostTensor {
  return { ...host, shape, values: new Float64Array(shape.reduce((size, extent) => size * extent, 1)) }
}
