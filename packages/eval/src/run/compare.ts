import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Baseline } from '../baselines/baseline.ts'
import type { ExecutorName } from '../executors.ts'
import { checkCount } from '../tasks/check.ts'
import { taskBaselines } from './baselines.ts'
import { type Benchmark, type BudgetName, benchmark, type TaskName } from './benchmark.ts'
import { type RunSpec, resolveRun } from './config.ts'
import { type LogRecord, RunDirectory, runPath } from './directory.ts'
import { writeAtomically } from './json.ts'
import { loadTask } from './loaded-task.ts'
import type { Throughput } from './measure.ts'
import { type JobEnd, Pool } from './pool.ts'
import type { RunResult } from './result.ts'
import type { Progress } from './train-run.ts'

/** The grid of a comparison. */
export interface ComparisonSpec {
  readonly mixers: readonly string[]
  readonly tasks: readonly TaskName[]
  readonly budget: BudgetName
  /** Runs per task and mixer, with seeds 1 to this. */
  readonly seeds: number
  readonly executor?: ExecutorName
  readonly steps?: number
  readonly learningRate?: number
}

export interface CompareOptions {
  /** Folder of the runs, one directory each, and of `results.jsonl`. */
  readonly out: string
  /** Runs at the same time. Default: as many as cores. */
  readonly jobs?: number
  readonly fresh?: boolean
  readonly checkpointEvery?: number
  readonly onProgress?: (run: RunSpec, progress: Progress) => void
  readonly onEnd?: (run: RunRecord) => void
  /** Called when all runs are over and the trained models are timed. */
  readonly onMeasuring?: () => void
}

/** One run of the grid and how it ended. */
export type RunRecord = { readonly spec: RunSpec; readonly directory: string } & (
  | { readonly status: 'done'; readonly result: RunResult; readonly log: readonly LogRecord[] }
  | { readonly status: 'failed'; readonly message: string; readonly log: readonly LogRecord[] }
  | { readonly status: 'interrupted' }
)

export interface TaskRecord {
  readonly benchmark: Benchmark
  readonly baselines: readonly Baseline[]
}

/** Everything that was found out. */
export interface Comparison {
  readonly spec: ComparisonSpec
  readonly tasks: readonly TaskRecord[]
  readonly runs: readonly RunRecord[]
  /** Speed of one trained model per mixer. */
  readonly throughput: readonly { readonly mixer: string; readonly curve: readonly Throughput[] }[]
  /** Whether it was stopped on the way. */
  readonly interrupted: boolean
}

/** A comparison under way. */
export interface Comparing {
  /** Never rejects for a run that fails. */
  readonly finished: Promise<Comparison>
  /** Every run saves a checkpoint and ends. */
  stop(): void
  /** Every run ends at once. */
  kill(): void
}

const THROUGHPUT_LENGTHS = [64, 128, 256, 512, 1024, 2048]

/** All runs of a comparison: tasks, then seeds, then mixers, so that partial results are comparable. */
export function comparisonRuns(spec: ComparisonSpec): readonly RunSpec[] {
  const { mixers, tasks, budget, seeds, executor, steps, learningRate } = spec
  checkCount('compare', 'seeds', seeds, 1)
  const given = Object.fromEntries(
    Object.entries({ executor, steps, learningRate }).filter(([, value]) => value !== undefined),
  )
  return tasks.flatMap((task) =>
    Array.from({ length: seeds }, (_, i) => i + 1).flatMap((seed) =>
      mixers.map((mixer) => ({ task, mixer, budget, seed, ...given })),
    ),
  )
}

/**
 * The runs whose directories have no result yet. An executor must be in use.
 * @throws DirectoryError when a run's directory holds another run
 */
export async function pendingRuns(out: string, runs: readonly RunSpec[]): Promise<readonly RunSpec[]> {
  const pending: RunSpec[] = []
  for (const run of runs) {
    const directory = new RunDirectory(runPath(out, run))
    await directory.check(resolveRun(run))
    if ((await directory.result()) === undefined) pending.push(run)
  }
  return pending
}

/**
 * Trains and tests every mixer on every task with every seed, in child processes. A run that fails is recorded and stops
 * no other; one that is already done is not repeated; one that was interrupted goes on from its checkpoint.
 */
export function compare(spec: ComparisonSpec, options: CompareOptions): Comparing {
  // Models are timed one after the other, so that they do not slow each other down.
  const pools = { training: new Pool(options.jobs ?? availableParallelism()), timing: new Pool(1) }
  const both = [pools.training, pools.timing]
  return {
    finished: runAll(pools, spec, options),
    stop: () => both.forEach((pool) => void pool.stop()),
    kill: () => both.forEach((pool) => void pool.kill()),
  }
}

interface Pools {
  readonly training: Pool
  readonly timing: Pool
}

async function runAll(pools: Pools, spec: ComparisonSpec, options: CompareOptions): Promise<Comparison> {
  const running = comparisonRuns(spec).map((run) => runOne(pools.training, run, options))
  const tasks: TaskRecord[] = []
  for (const task of spec.tasks) {
    const chosen = benchmark(task, spec.budget)
    tasks.push({ benchmark: chosen, baselines: taskBaselines(await loadTask(chosen), 1) })
  }
  const runs = await Promise.all(running)
  const throughput = await measureAll(pools.timing, spec.mixers, runs, options)
  const interrupted = pools.training.stopping
  if (!interrupted) {
    const records = runs.map((run) => JSON.stringify(resultLine(run, tasks)))
    await mkdir(options.out, { recursive: true })
    await writeAtomically(join(options.out, 'results.jsonl'), `${records.join('\n')}\n`)
  }
  return { spec, tasks, runs, throughput, interrupted }
}

async function runOne(pool: Pool, spec: RunSpec, options: CompareOptions): Promise<RunRecord> {
  const path = runPath(options.out, spec)
  const { fresh, checkpointEvery } = options
  const end = await pool.run(
    { kind: 'run', spec, options: { directory: path, fresh, checkpointEvery } },
    { onProgress: (progress) => options.onProgress?.(spec, progress) },
  )
  const record = await recordOf(end, spec, path)
  options.onEnd?.(record)
  return record
}

async function recordOf(end: JobEnd, spec: RunSpec, directory: string): Promise<RunRecord> {
  const base = { spec, directory }
  if (end.type === 'stopped' || (end.type === 'run' && end.outcome.status === 'interrupted')) {
    return { ...base, status: 'interrupted' }
  }
  const log = await new RunDirectory(directory).log().catch(() => [])
  if (end.type === 'run' && end.outcome.status === 'done') {
    return { ...base, status: 'done', result: end.outcome.result, log }
  }
  return { ...base, status: 'failed', message: end.type === 'failed' ? end.message : 'ended without a result', log }
}

/** Times the first finished model of each mixer. */
async function measureAll(
  pool: Pool,
  mixers: readonly string[],
  runs: readonly RunRecord[],
  options: CompareOptions,
): Promise<Comparison['throughput']> {
  if (!pool.stopping) options.onMeasuring?.()
  const curves = []
  for (const mixer of mixers) {
    const run = runs.find(({ spec, status }) => spec.mixer === mixer && status === 'done')
    if (run === undefined) continue
    const job = { kind: 'throughput', directory: run.directory, lengths: THROUGHPUT_LENGTHS } as const
    const end = await pool.run(job)
    if (end.type === 'throughput') curves.push({ mixer, curve: end.curve })
  }
  return curves
}

/** What `results.jsonl` says of a run (evaluation spec §16). */
function resultLine(run: RunRecord, tasks: readonly TaskRecord[]): unknown {
  const { task, mixer, budget, seed } = run.spec
  const baselines = tasks.find(({ benchmark }) => benchmark.task === task)?.baselines
  const base = { task, mixer, budget, seed, status: run.status, baselines }
  if (run.status === 'done') return { ...base, ...run.result }
  return run.status === 'failed' ? { ...base, message: run.message } : base
}
