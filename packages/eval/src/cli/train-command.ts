import { formatScore, printable } from '../format.ts'
import type { RunSpec } from '../run/config.ts'
import { type TrainRunOptions, trainRun } from '../run/train-run.ts'
import { announce } from './plan.ts'
import { progressView } from './progress.ts'
import { goOn, watchSignals } from './signals.ts'
import type { Streams } from './streams.ts'
import { testLines } from './table.ts'

export interface TrainCommand extends Pick<TrainRunOptions, 'directory' | 'fresh' | 'checkpointEvery'> {
  readonly spec: RunSpec
  readonly force: boolean
  /** How the user gave the command, to be shown for going on with it. */
  readonly command: string
}

/** Trains and tests one model. Gives the exit code. */
export async function trainCommand(
  { spec, force, command, ...options }: TrainCommand,
  streams: Streams,
): Promise<number> {
  await announce([spec], streams, { jobs: 1, force })
  const view = progressView(streams.stderr, 1)
  const stop = new AbortController()
  const watch = watchSignals({
    stop: () => {
      view.note('stopping: the run saves a checkpoint; once more to end at once')
      stop.abort()
    },
    kill: () => {},
  })
  try {
    const onProgress: TrainRunOptions['onProgress'] = (progress) => view.update(spec, progress)
    const outcome = await trainRun(spec, { ...options, signal: stop.signal, onProgress })
    if (outcome.status === 'interrupted') {
      view.end(spec, `stopped after step ${outcome.step}, checkpoint saved. ${goOn(command)}`)
      return watch.exitCode ?? 1
    }
    const { test, validation, sample } = outcome.result
    view.end(spec, `done, validation ${formatScore(test.task, validation)}`)
    view.close()
    streams.stdout.write(`${testLines(test)}\n`)
    if (sample !== undefined) streams.stdout.write(`${sample.prompt}${printable(sample.text)}\n`)
    streams.stdout.write(`run: ${options.directory}\n`)
    return 0
  } finally {
    view.close()
    watch.close()
  }
}
