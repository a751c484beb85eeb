import type { ExecutorBuffer } from './executor.ts'
import { call, input } from './expression.ts'
import { formatShape, type Shape } from './shape.ts'
import { Storage } from './storage.ts'
import type { Tensor } from './tensor.ts'

/** The number of non-finite elements of an op's result, still on the executor. */
interface Observation {
  readonly name: string
  readonly shapes: readonly Shape[]
  readonly count: Storage
}

let observations: Observation[] | undefined

/**
 * Runs `body` and names the first op, forward or backward, whose result has an element that is not finite.
 * Every result is checked on its executor; only the counts are read, after `body`.
 * @throws Error `"log: 3 of 12 elements are not finite; inputs [3, 4]"` when there is one.
 */
export async function anomaly<R>(body: () => R): Promise<R> {
  if (observations !== undefined) throw new Error('anomaly: already active')
  const made: Observation[] = []
  observations = made
  let result: R
  try {
    result = body()
  } finally {
    observations = undefined
  }
  try {
    for (const { name, shapes, count } of made) {
      const [found] = await count.executor.read(count.buffer)
      if (found > 0) {
        throw new Error(
          `${name}: ${found} elements are not finite; inputs have shapes ${shapes.map(formatShape).join(', ')}`,
        )
      }
    }
  } finally {
    for (const { count } of made) count.release()
  }
  return result
}

/** Internal: in anomaly mode, counts the non-finite elements of an op's outputs. */
export function observe(name: string, outputs: readonly Tensor[], inputs: readonly Tensor[]): void {
  if (observations === undefined) return
  for (const output of outputs) {
    if (output.dtype === 'int32' || output.size === 0) continue
    observations.push({ name, shapes: inputs.map((tensor) => tensor.shape), count: countNonFinite(output) })
  }
}

/** x − x is 0 for finite x and NaN otherwise. */
const isNonFinite = call('notEqual', call('sub', input(0), input(0)), 0)

function countNonFinite(tensor: Tensor): Storage {
  const { executor, dtype, size } = tensor
  const flags = new Storage(executor, dtype, size)
  flags.retain()
  const count = new Storage(executor, dtype, 1)
  count.retain()
  const buffers = (...storages: readonly Storage[]): ExecutorBuffer[] => storages.map((storage) => storage.buffer)
  executor.run('map', [tensor.buffer], buffers(flags), { expression: isNonFinite, shape: [size], strides: [[1]] })
  executor.run('reduce', buffers(flags), buffers(count), { reduction: 'sum', outer: 1, length: size, inner: 1 })
  flags.release()
  return count
}
