import type { Baseline } from './baselines/baseline.ts'
import type { TaskName } from './run/benchmark.ts'
import type { Comparison, RunRecord, TaskRecord } from './run/compare.ts'
import { scoreOf, type TestResult } from './run/evaluate.ts'
import type { RunResult } from './run/result.ts'
import { median } from './statistics/quantile.ts'
import { type MeanInterval, meanInterval } from './statistics/student.ts'

/** What the seeds of one mixer on one task say together (evaluation spec §15). */
export interface Summary {
  readonly task: TaskName
  readonly mixer: string
  /** The task's score of every seed; that of a failed run is chance. */
  readonly scores: readonly number[]
  readonly median: number
  /** Only when no run failed and there are at least two. */
  readonly mean?: MeanInterval
  readonly failed: number
  /** Results of the runs that did not fail. */
  readonly results: readonly RunResult[]
}

/** One summary per task and mixer, in the order of the comparison. Interrupted runs do not count. */
export function summarise(comparison: Comparison): readonly Summary[] {
  const { tasks, spec, runs } = comparison
  return tasks.flatMap((record) => spec.mixers.flatMap((mixer) => summariseRuns(record, mixer, runs)))
}

/** Median of what `read` finds in the results; `undefined` when it finds nothing. */
export function medianOf(
  results: readonly RunResult[],
  read: (result: RunResult) => number | undefined,
): number | undefined {
  const values = results.map(read).filter((value) => value !== undefined)
  return values.length === 0 ? undefined : median(values)
}

/** Score of guessing: the first baseline of every task. */
export function chanceOf({ baselines }: TaskRecord): number {
  const [chance] = baselines
  return chance.value
}

/** The best baseline: what a model can be expected to reach at most at these budgets. */
export function ceilingOf({ benchmark, baselines }: TaskRecord): Baseline {
  const better = (a: Baseline, b: Baseline) => (isLowerBetter(benchmark.task) ? b.value < a.value : b.value > a.value)
  return baselines.reduce((best, baseline) => (better(best, baseline) ? baseline : best))
}

function isLowerBetter(task: TaskName): boolean {
  return task === 'text'
}

/** Bits per byte with the state carried, where it was measured. */
export function warmOf(test: TestResult): number | undefined {
  return test.task === 'text' ? test.warm : undefined
}

function summariseRuns(record: TaskRecord, mixer: string, runs: readonly RunRecord[]): readonly Summary[] {
  const { task } = record.benchmark
  const own = runs.filter(({ spec, status }) => spec.task === task && spec.mixer === mixer && status !== 'interrupted')
  if (own.length === 0) return []
  const scores = own.map((run) => (run.status === 'done' ? scoreOf(run.result.test) : chanceOf(record)))
  const results = own.flatMap((run) => (run.status === 'done' ? [run.result] : []))
  const failed = own.length - results.length
  const mean = failed === 0 && own.length > 1 ? { mean: meanInterval(scores) } : {}
  return [{ task, mixer, scores, median: median(scores), ...mean, failed, results }]
}
