import { type ChildProcess, fork } from 'node:child_process'
import type { Job, Order, Report } from './messages.ts'
import type { Progress } from './train-run.ts'

/** How a job ended. */
export type JobEnd =
  | Exclude<Report, { readonly type: 'progress' }>
  /** The child was asked to stop, and had nothing to save. */
  | { readonly type: 'stopped' }

export interface JobHandlers {
  readonly onProgress?: (progress: Progress) => void
}

/**
 * Child processes, one per job and `jobs` at a time. A job that fails, or a child that dies, ends with a `failed` report
 * and touches no other.
 */
export class Pool {
  readonly #jobs: number
  readonly #children = new Set<ChildProcess>()
  readonly #waiting: (() => void)[] = []
  #running = 0
  #stopping = false

  constructor(jobs: number) {
    this.#jobs = jobs
  }

  /** Whether the pool was asked to stop: jobs that have not begun end as `stopped`. */
  get stopping(): boolean {
    return this.#stopping
  }

  async run(job: Job, handlers: JobHandlers = {}): Promise<JobEnd> {
    while (!this.#stopping && this.#running >= this.#jobs)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    if (this.#stopping) return { type: 'stopped' }
    this.#running++
    try {
      return await this.#fork(job, handlers)
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }

  /** Asks every child to save what it has and end. */
  stop(): void {
    this.#stopping = true
    for (const child of this.#children) send(child, { type: 'stop' })
    for (const resume of this.#waiting.splice(0)) resume()
  }

  /** Ends every child at once, without saving. */
  kill(): void {
    this.#stopping = true
    for (const child of this.#children) child.kill('SIGKILL')
  }

  #fork(job: Job, { onProgress }: JobHandlers): Promise<JobEnd> {
    return new Promise((resolve) => {
      const child = fork(workerPath(), { serialization: 'json', execArgv: workerArguments() })
      this.#children.add(child)
      let end: JobEnd | undefined
      child.on('message', (report: Report) => {
        if (report.type === 'progress') onProgress?.(report.progress)
        else end = report
      })
      child.on('error', (error) => {
        end ??= { type: 'failed', message: `the child process could not be used: ${error.message}` }
      })
      child.on('close', (code, signal) => {
        this.#children.delete(child)
        if (end !== undefined) resolve(end)
        else if (this.#stopping) resolve({ type: 'stopped' })
        else resolve({ type: 'failed', message: `the child process ended with ${signal ?? `exit code ${code}`}` })
      })
      send(child, { type: 'do', job })
    })
  }
}

/** Beside this file, in TypeScript when this file is. */
function workerPath(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)
}

/** The conditions that this process resolves packages with, so that both see the same sources. */
function workerArguments(): string[] {
  return process.execArgv.filter((argument) => argument.startsWith('--conditions='))
}

function send(child: ChildProcess, order: Order): void {
  if (child.connected) child.send(order, () => {})
}
