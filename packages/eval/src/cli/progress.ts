import { MultiBar, type SingleBar } from 'cli-progress'
import { formatCount, formatDuration } from '../format.ts'
import type { RunSpec } from '../run/config.ts'
import type { Progress } from '../run/train-run.ts'
import type { Streams } from './streams.ts'

/** Shows how runs get on. */
export interface ProgressView {
  update(run: RunSpec, progress: Progress): void
  /** A run is over; `how` says how it went. */
  end(run: RunSpec, how: string): void
  /** A line that stays. */
  note(line: string): void
  close(): void
}

/** Bars on a terminal, plain lines in a pipe. */
export function progressView(stream: Streams['stderr'], runs: number): ProgressView {
  return stream.isTTY ? bars(stream, runs) : plainLines(stream, runs)
}

export function runName({ task, mixer, seed }: RunSpec): string {
  return `${task} · ${mixer} · seed ${seed}`
}

function bars(stream: Streams['stderr'], runs: number): ProgressView {
  const multi = new MultiBar({
    stream,
    gracefulExit: false, // signals are the command's: runs save before they end
    format: '{name} {bar} {percentage} % | {detail}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: false,
  })
  const shown = new Map<string, SingleBar>()
  const remaining = new Remaining()
  let ended = 0
  return {
    update(run, progress) {
      const name = runName(run)
      const bar = shown.get(name) ?? multi.create(progress.steps, progress.step, { name: name.padEnd(32), detail: '' })
      shown.set(name, bar)
      bar.update(progress.step, { detail: `${detailOf(progress)}${remaining.after(name, progress)}` })
    },
    end(run, how) {
      const name = runName(run)
      const bar = shown.get(name)
      if (bar !== undefined) multi.remove(bar)
      shown.delete(name)
      multi.log(`${++ended}/${runs} ${name}: ${how}\n`)
      multi.update()
    },
    note(line) {
      multi.log(`${line}\n`)
      multi.update()
    },
    close: () => multi.stop(),
  }
}

/** Share of a run after which there is another line. */
const LINE_EVERY = 0.1

function plainLines(stream: Streams['stderr'], runs: number): ProgressView {
  const seen = new Map<string, { next: number; phase: Progress['phase'] }>()
  const remaining = new Remaining()
  let ended = 0
  const write = (line: string) => void stream.write(`${line}\n`)
  return {
    update(run, progress) {
      const name = runName(run)
      const { step, steps, phase } = progress
      const state = seen.get(name) ?? { next: 0, phase: 'training' }
      seen.set(name, state)
      const left = remaining.after(name, progress)
      if (phase === state.phase && (phase === 'testing' || step / steps < state.next)) return
      state.next = (Math.floor(step / steps / LINE_EVERY) + 1) * LINE_EVERY
      state.phase = phase
      write(`${name}: ${detailOf(progress)}${left}`)
    },
    end(run, how) {
      seen.delete(runName(run))
      write(`${++ended}/${runs} ${runName(run)}: ${how}`)
    },
    note: write,
    close() {},
  }
}

/** How long runs will still train, from how long they have since their first report. */
class Remaining {
  readonly #first = new Map<string, { readonly at: number; readonly step: number }>()

  /** `, about 20 s left`, or nothing when that is not known or the training is over. */
  after(name: string, { phase, step, steps }: Progress): string {
    const first = this.#first.get(name) ?? { at: performance.now(), step }
    this.#first.set(name, first)
    if (phase === 'testing' || step === first.step) return ''
    const perStep = (performance.now() - first.at) / 1000 / (step - first.step)
    return `, about ${formatDuration(perStep * (steps - step))} left`
  }
}

function detailOf({ phase, step, steps, loss, tokensPerSecond }: Progress): string {
  if (phase === 'testing') return `step ${step}/${steps}, testing`
  const speed = tokensPerSecond === undefined ? '' : `, ${formatCount(tokensPerSecond)} tokens/s`
  return `step ${step}/${steps}${loss === undefined ? '' : `, loss ${loss.toFixed(3)} nats`}${speed}`
}
