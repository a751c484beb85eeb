import { formatDuration, formatFlop } from '../format.ts'
import { benchmark } from '../run/benchmark.ts'
import type { RunSpec } from '../run/config.ts'
import { type Estimate, estimateRun } from '../run/estimate.ts'
import { type Streams, UsageError } from './streams.ts'

/**
 * Prints what will be done and about how long it takes: `runs` are those that are not done yet.
 * @throws UsageError when a run exceeds its budget too far and is not forced
 */
export async function announce(
  runs: readonly RunSpec[],
  { stderr }: Streams,
  options: { readonly jobs: number; readonly force: boolean },
): Promise<void> {
  if (runs.length === 0) {
    stderr.write('every run is done already\n')
    return
  }
  const estimates: Estimate[] = []
  let total = 0
  for (const own of groupsOf(runs)) {
    const estimate = await estimateRun(own[0])
    estimates.push(estimate)
    total += estimate.seconds * own.length
    stderr.write(`${lineOf(estimate, own)}\n`)
  }
  const parallel = Math.min(options.jobs, runs.length)
  const besides = runs.length > 1 ? `, ${parallel} at a time` : ''
  stderr.write(
    `${count(runs.length, 'run')}${besides}: about ${formatDuration(total / parallel)} of training, then tests\n`,
  )
  const excess = estimates.find((estimate) => estimate.excess !== undefined)
  if (excess !== undefined && !options.force) {
    throw new UsageError(`${excess.task} with ${excess.mixer}: ${excess.excess}; give --force to run it all the same`)
  }
}

/** Runs of one task with one mixer. */
function groupsOf(runs: readonly RunSpec[]): Iterable<readonly RunSpec[]> {
  const groups = new Map<string, RunSpec[]>()
  for (const run of runs) {
    const name = `${run.task}/${run.mixer}`
    groups.set(name, [...(groups.get(name) ?? []), run])
  }
  return groups.values()
}

function lineOf({ task, mixer, budget, flop, seconds }: Estimate, runs: readonly RunSpec[]): string {
  const steps = runs[0].steps ?? benchmark(task, budget).training.steps
  const size = `${steps} steps, ${formatFlop(flop)} FLOP, about ${formatDuration(seconds)}`
  return `${task} with ${mixer} (${budget}): ${count(runs.length, 'run')} of ${size}`
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}
