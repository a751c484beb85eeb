import { useExecutor } from '@mixtape/autodiff'
import { train } from '@mixtape/nn'
import { executors } from '../executors.ts'
import type { Batch } from '../tasks/task.ts'
import { type BudgetName, limits, type TaskName } from './benchmark.ts'
import { type RunConfig, type RunSpec, resolveRun } from './config.ts'
import { loadTask } from './loaded-task.ts'
import { comparedModel, tokenBatch } from './model.ts'
import { benchmarkOf, runFlop, runOptimizer } from './train-run.ts'

/** What the runs of one task with one mixer cost, each. */
export interface Estimate {
  readonly task: TaskName
  readonly mixer: string
  readonly budget: BudgetName
  readonly flop: number
  /** Of training, on this machine. */
  readonly seconds: number
  /** Why it is refused unless forced; absent when it is not. */
  readonly excess?: string
}

const TIMED_MS = 500
/** A training step that takes more is not timed; that of the `small` budget then stands for it. */
const TIMEABLE_FLOP = 1e10
const TOLERANCE = 5

/**
 * Times some training steps of a run's model for half a second and concludes from its FLOP.
 * @throws RangeError when the specification is out of range
 */
export async function estimateRun(spec: RunSpec): Promise<Estimate> {
  await useExecutor(executors[spec.executor ?? 'wasm']())
  const config = resolveRun(spec)
  const flop = runFlop(config, comparedModel(config.model, 0))
  const timed = flop / config.training.steps > TIMEABLE_FLOP ? resolveRun({ ...spec, budget: 'small' }) : config
  const seconds = flop / (await flopPerSecond(timed))
  const { task, mixer, budget } = spec
  const excess = excessOf(budget, flop, seconds)
  return { task, mixer, budget, flop, seconds, ...(excess === undefined ? {} : { excess }) }
}

async function flopPerSecond(config: RunConfig): Promise<number> {
  const { task } = await loadTask(benchmarkOf(config))
  const model = comparedModel(config.model, 0)
  const optimizer = runOptimizer(config, model)
  const drawn = new Map<number, Batch>()
  const steps = 1 + config.training.steps
  const batch = (step: number) => {
    const index = step % 2
    const known = drawn.get(index) ?? task.trainingBatch(config.seed, index)
    drawn.set(index, known)
    return tokenBatch(known)
  }
  let began: number | undefined
  let timed = 0
  for await (const _ of train(model, batch, { steps, optimizer })) {
    began ??= performance.now()
    const elapsed = performance.now() - began
    if (elapsed > TIMED_MS) return (timed * (runFlop(config, model) / config.training.steps)) / (elapsed / 1000)
    timed++
  }
  return Number.POSITIVE_INFINITY
}

function excessOf(budget: BudgetName, flop: number, seconds: number): string | undefined {
  const limit = limits[budget]
  if (flop > TOLERANCE * limit.flop) {
    return `${flop.toExponential(1)} FLOP are more than ${TOLERANCE} times the ${limit.flop.toExponential(1)} of ${budget}`
  }
  if (seconds > TOLERANCE * limit.seconds) {
    return `about ${Math.round(seconds)} s are more than ${TOLERANCE} times the ${limit.seconds} s of ${budget}`
  }
  return undefined
}
