import { type Executor, reference } from '@mixtape/autodiff'
import { wasm } from '@mixtape/autodiff/wasm'

export type ExecutorName = 'wasm' | 'reference'

/** Executors a run can compute on. Both in float32. */
export const executors: Readonly<Record<ExecutorName, () => Executor | Promise<Executor>>> = {
  wasm: () => wasm(),
  reference: () => reference(),
}
