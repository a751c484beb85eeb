import { resolve } from 'node:path'
import { useExecutor } from '@mixtape/autodiff'
import { executors } from '../executors.ts'
import { formatDuration, formatScore, printable, scoreName } from '../format.ts'
import { writeReport } from '../report/write.ts'
import {
  type Comparison,
  type ComparisonSpec,
  compare,
  comparisonRuns,
  pendingRuns,
  type RunRecord,
} from '../run/compare.ts'
import { scoreOf } from '../run/evaluate.ts'
import { announce } from './plan.ts'
import { progressView, runName } from './progress.ts'
import { goOn, watchSignals } from './signals.ts'
import { coloursFor, type Streams } from './streams.ts'
import { comparisonTables } from './table.ts'

export interface CompareCommand {
  readonly spec: ComparisonSpec
  readonly out: string
  readonly jobs: number
  readonly fresh: boolean
  readonly force: boolean
  readonly checkpointEvery?: number
  /** How the user gave the command, to be shown for repeating it. */
  readonly command: string
}

/** Runs a comparison with progress, tables and report. Gives the exit code. */
export async function compareCommand(order: CompareCommand, streams: Streams): Promise<number> {
  const { spec, out, fresh } = order
  const runs = comparisonRuns(spec)
  await useExecutor(executors[spec.executor ?? 'wasm']())
  await announce(fresh ? runs : await pendingRuns(out, runs), streams, order)

  const view = progressView(streams.stderr, runs.length)
  const comparing = compare(spec, {
    ...order,
    onProgress: (run, progress) => view.update(run, progress),
    onEnd: (run) => view.end(run.spec, ending(run)),
    onMeasuring: () => view.note('timing the trained models'),
  })
  const watch = watchSignals({
    stop: () => {
      view.note('stopping: every run saves a checkpoint; once more to end at once')
      comparing.stop()
    },
    kill: () => comparing.kill(),
  })
  const comparison = await comparing.finished.finally(() => {
    view.close()
    watch.close()
  })
  if (comparison.interrupted) {
    streams.stderr.write(`stopped. ${goOn(order.command)}\n`)
    return watch.exitCode ?? 1
  }
  return conclude(comparison, order, streams)
}

async function conclude(comparison: Comparison, { out, command }: CompareCommand, streams: Streams): Promise<number> {
  const { stdout } = streams
  const report = await writeReport(out, comparison, { command })
  stdout.write(`\n${comparisonTables(comparison, coloursFor(stdout))}\n`)
  const failures = comparison.runs.filter((run) => run.status === 'failed')
  for (const run of failures) stdout.write(`\nfailed: ${runName(run.spec)}: ${run.message}\n`)
  stdout.write(`${sampleText(comparison)}\nreport: ${resolve(report)}\n`)
  return failures.length === 0 ? 0 : 1
}

/** One generated text per mixer. */
function sampleText({ spec, runs }: Comparison): string {
  return spec.mixers
    .flatMap((mixer) => {
      const run = runs.find((run) => run.spec.mixer === mixer && run.status === 'done' && run.result.sample)
      if (run?.status !== 'done' || run.result.sample === undefined) return []
      const { prompt, text } = run.result.sample
      return [`\n${mixer} writes: ${prompt}${printable(text)}\n`]
    })
    .join('')
}

function ending(run: RunRecord): string {
  if (run.status === 'failed') return `failed: ${run.message}`
  if (run.status === 'interrupted') return 'stopped, checkpoint saved'
  const { test, wallMs } = run.result
  return `${formatScore(test.task, scoreOf(test))} ${scoreName(test.task)} after ${formatDuration(wallMs / 1000)}`
}
