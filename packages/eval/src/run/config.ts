import type { ExecutorName } from '../executors.ts'
import { mixerEntry } from '../mixers.ts'
import { checkCount } from '../tasks/check.ts'
import { type BudgetName, benchmark, type TaskName } from './benchmark.ts'
import { ownVersion } from './environment.ts'
import { hashOf } from './json.ts'
import { type ModelConfig, matchedInnerWidth } from './model.ts'

/** What a user asks for: one training run. */
export interface RunSpec {
  readonly task: TaskName
  readonly mixer: string
  readonly budget: BudgetName
  /** Fixes the initial weights and the order of the data; the same seed for every mixer. */
  readonly seed: number
  /** Default `wasm`. */
  readonly executor?: ExecutorName
  /** Default: those of the budget. */
  readonly steps?: number
  /** Peak learning rate. Default: the middle one of the budget's grid. */
  readonly learningRate?: number
}

/** Everything that a run's numbers depend on. */
export interface RunConfig {
  /** Version of this package: numbers of different versions are not mixed. */
  readonly version: string
  readonly benchmark: string
  readonly task: TaskName
  readonly budget: BudgetName
  readonly data: Readonly<Record<string, number | string>>
  readonly model: ModelConfig
  readonly training: {
    readonly steps: number
    readonly learningRate: number
    readonly weightDecay: number
  }
  readonly seed: number
  readonly executor: ExecutorName
}

/**
 * Settles a specification: all defaults filled in. An executor must be in use.
 * @throws RangeError when a value is out of range or the mixer is unknown.
 */
export function resolveRun(spec: RunSpec): RunConfig {
  const chosen = benchmark(spec.task, spec.budget)
  const { steps = chosen.training.steps, learningRate = middle(chosen.training.learningRates) } = spec
  mixerEntry(spec.mixer)
  checkCount('run', 'steps', steps, 1)
  checkCount('run', 'seed', spec.seed, 0)
  if (!(learningRate > 0 && Number.isFinite(learningRate))) {
    throw new RangeError(`run: learningRate is ${learningRate} but must be a finite number greater than 0`)
  }
  const vocabulary = chosen.task === 'text' ? 256 : chosen.config.vocabulary
  return {
    version: ownVersion(),
    benchmark: chosen.id,
    task: spec.task,
    budget: spec.budget,
    data: { ...chosen.config },
    model: {
      vocabulary,
      ...chosen.model,
      mixer: spec.mixer,
      innerWidth: matchedInnerWidth(spec.mixer, chosen.model),
    },
    training: { steps, learningRate, weightDecay: chosen.training.weightDecay },
    seed: spec.seed,
    executor: spec.executor ?? 'wasm',
  }
}

export function hashConfig(config: RunConfig): string {
  return hashOf(config)
}

function middle(values: readonly number[]): number {
  return values[Math.floor((values.length - 1) / 2)]
}
