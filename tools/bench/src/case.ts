import type { Executor } from '@mixtape/autodiff'

/** Cases that compute the same thing, measured in turns. */
export interface BenchmarkGroup {
  readonly name: string
  /** Name of the case that the others are compared with. */
  readonly baseline: string
  readonly cases: readonly BenchmarkCase[]
}

/** One way to compute it. */
export interface BenchmarkCase {
  readonly name: string
  /** Makes the executor to run on; it is closed afterwards. */
  readonly executor: () => Promise<Executor>
  /** What one run does. */
  readonly work: Work
  /** Makes the inputs on the executor in use, and gives the run. What a run makes it frees. */
  readonly setup: () => Run
}

export type Run = () => void | Promise<void>

/**
 * How much a run computes (floating point operations of the plain algorithm), moves at least (bytes of operands and
 * results, each once), or trains on (tokens).
 */
export interface Work {
  readonly unit: 'FLOP' | 'B' | 'token'
  readonly amount: number
}

/** Sizes are smaller in a quick run, which shows that everything works and measures nothing. */
export interface SuiteOptions {
  readonly quick: boolean
}
