/** Entry of the child processes: one job, then the end. Started by `runJob`. */
import { Stopped } from './breathe.ts'
import { throughput } from './measure.ts'
import type { Job, Order, Report } from './messages.ts'
import { loadRun, type Progress, trainRun } from './train-run.ts'

const REPORT_EVERY_MS = 200

const stop = new AbortController()

// A terminal sends its Ctrl-C to every process of the group: the parent's order decides when to stop, not the signal.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => stop.abort())
process.on('disconnect', () => stop.abort())
process.on('message', (order: Order) => {
  if (order.type === 'stop') stop.abort()
  else void carryOut(order.job).then(report, reportFailure)
})

async function carryOut(job: Job): Promise<Report> {
  if (job.kind === 'run') {
    const outcome = await trainRun(job.spec, { ...job.options, signal: stop.signal, onProgress: throttled() })
    return { type: 'run', outcome }
  }
  const { model } = await loadRun(job.directory)
  return { type: 'throughput', curve: await throughput(model, job.lengths, stop.signal) }
}

/** Reports at most five times a second, and always the last step. */
function throttled(): (progress: Progress) => void {
  let last = 0
  return (progress) => {
    if (performance.now() - last < REPORT_EVERY_MS && progress.step < progress.steps) return
    last = performance.now()
    process.send?.({ type: 'progress', progress } satisfies Report)
  }
}

/** Ends the process once the parent has the message. */
function report(message: Report): void {
  if (!process.connected || process.send === undefined) process.exit()
  process.send(message, undefined, {}, () => process.exit())
}

function reportFailure(error: unknown): void {
  if (error instanceof Stopped) process.exit()
  const failure = error instanceof Error ? error : new Error(String(error))
  report({ type: 'failed', message: failure.message, stack: failure.stack })
}
