import { type Generator, memory, randomGenerator, type Shape, Tensor, tensor } from '@mixtape/autodiff'
import {
  collectParameters,
  type LayerFactory,
  type LayerState,
  Linear,
  type Module,
  type SequenceLayer,
  ShortConvolution,
  type TokenBatch,
} from '@mixtape/nn'
import fc from 'fast-check'
import { expect } from 'vitest'

export const seeds: fc.Arbitrary<number> = fc.nat({ max: 1000 })

/** Random values in [−1, 1). */
export function random(shape: Shape, seed: number | string): Tensor {
  const generator = randomGenerator(seed)
  const size = shape.reduce((product, extent) => product * extent, 1)
  return tensor(
    Float64Array.from({ length: size }, () => 2 * generator.uniform() - 1),
    { shape },
  )
}

export async function read(x: Tensor): Promise<number[]> {
  return Array.from(await x.data())
}

export async function readAll(module: Module): Promise<Record<string, number[]>> {
  const entries = Object.entries(module.parameters())
  return Object.fromEntries(await Promise.all(entries.map(async ([name, { value }]) => [name, await read(value)])))
}

/** Largest difference relative to max(1, largest wanted value). */
export function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, tolerance: number = 1e-12): void {
  expect(got.length).toBe(want.length)
  const scale = Array.from(want, Math.abs).reduce((most, value) => Math.max(most, value), 1)
  for (let i = 0; i < want.length; i++) {
    if (!(Math.abs(got[i] - want[i]) <= tolerance * scale)) expect.fail(`element ${i} is ${got[i]}, not ${want[i]}`)
  }
}

/** Gives every parameter random values, so that zeros and ones of the start hide nothing. */
export function randomize(module: Module, seed: number | string): void {
  for (const [name, parameter] of Object.entries(module.parameters())) {
    parameter.value = random(parameter.value.shape, `${seed} ${name}`)
  }
}

/** A layer whose state does not grow: a short convolution and a projection. */
export function convolution(): LayerFactory {
  return ({ width, generator }): SequenceLayer => {
    const conv = new ShortConvolution(width, generator.split('conv1d'), { width: 3 })
    const output = new Linear(width, width, generator.split('o_proj'))
    return {
      initialState: (batchSize) => conv.initialState(batchSize),
      forward(x, options = {}) {
        const state = options.state === undefined ? conv.initialState(x.shape[0]) : asTensor(options.state)
        const result = conv.forward(x, { state })
        return { output: output.forward(result.output), state: result.state }
      },
      step(x, state) {
        const result = conv.step(x, asTensor(state))
        return { output: output.forward(result.output), state: result.state }
      },
      parameters: () => collectParameters({ conv1d: conv, o_proj: output }),
    }
  }
}

function asTensor(state: LayerState): Tensor {
  if (state instanceof Tensor) return state
  throw new TypeError('the state of this layer is a tensor')
}

/** Sequences that count up modulo the vocabulary from a random start: learnt in a few dozen steps. */
export function counting(generator: Generator, vocabulary: number, batchSize: number, time: number): TokenBatch {
  const starts = Array.from({ length: batchSize }, () => generator.integer(vocabulary))
  const at = (shift: number) =>
    tensor(
      starts.map((start) => Array.from({ length: time }, (_, t) => (start + t + shift) % vocabulary)),
      { dtype: 'int32' },
    )
  return { ids: at(0), targets: at(1) }
}

export function liveBytes(): number {
  return memory().liveBytes
}
