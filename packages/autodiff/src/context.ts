import type { FloatDType } from './dtype.ts'
import type { Executor } from './executor.ts'

/** Where new tensors are made, and in which floating type. */
export interface Context {
  readonly executor: Executor
  readonly dtype: FloatDType
}

let current: Context | undefined

/** Internal: the current context. @throws Error when no executor was chosen. */
export function useContext(): Context {
  if (current === undefined) {
    throw new Error('no executor: call `await useExecutor(wasm())` (or `reference()`) before making tensors')
  }
  return current
}

/**
 * Makes an executor the one on which new tensors live, with `dtype` (default: the executor's first) as the type of new
 * floating tensors. Existing tensors stay where they are. Resolves to the executor.
 * @throws TypeError when the executor does not compute in `dtype`.
 */
export async function useExecutor<E extends Executor>(
  executor: E | Promise<E>,
  options: { readonly dtype?: FloatDType } = {},
): Promise<E> {
  const chosen = await executor
  const dtype = options.dtype ?? chosen.dtypes[0]
  if (!chosen.dtypes.includes(dtype)) {
    throw new TypeError(
      `useExecutor: dtype is ${dtype} but executor ${chosen.name} computes in ${chosen.dtypes.join(', ')}`,
    )
  }
  current = { executor: chosen, dtype }
  return chosen
}

/** The executor in use. @throws Error when none was chosen. */
export function currentExecutor(): Executor {
  return useContext().executor
}

/** The floating type of new tensors. @throws Error when no executor was chosen. */
export function defaultDType(): FloatDType {
  return useContext().dtype
}
