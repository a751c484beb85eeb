import { type Executor, reference } from '@mixtape/autodiff'
import { wasm } from '@mixtape/autodiff/wasm'
import type { BenchmarkGroup, Run, Work } from '../case.ts'

/** Every executor, under the name that it reports. */
const executors: Readonly<Record<string, () => Promise<Executor>>> = { reference, wasm }

/** The same run on every executor, compared with the reference. */
export function onEveryExecutor(name: string, work: Work, setup: () => Run): BenchmarkGroup {
  const cases = Object.entries(executors).map(([executorName, executor]) => ({
    name: executorName,
    executor,
    work,
    setup,
  }))
  return { name, baseline: 'reference', cases }
}
