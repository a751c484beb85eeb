import { existsSync } from 'node:fs'
import { appendFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hashConfig, type RunConfig } from './config.ts'
import { hashOf, readIfThere, readJson, writeAtomically } from './json.ts'
import { isRunResult, type RunResult } from './result.ts'

/** One line of a run's log. The same whether or not the run was interrupted on the way. */
export type LogRecord =
  | {
      readonly kind: 'train'
      /** Counted from 1. */
      readonly step: number
      /** Nats, before the update. */
      readonly loss: number
      readonly gradientNorm: number
      readonly learningRate: number
    }
  | {
      readonly kind: 'validation'
      /** Steps done. */
      readonly step: number
      /** The task's metric. */
      readonly value: number
    }

/** What a run directory holds does not fit what is to be done with it. */
export class DirectoryError extends Error {
  override readonly name: string = 'DirectoryError'
}

/**
 * The files of one run:
 * - `config.json`: what the run's numbers depend on, and its hash;
 * - `log.jsonl`: a {@link LogRecord} per step and validation;
 * - `checkpoint.safetensors`: weights and optimiser after some step;
 * - `result.json`: the {@link RunResult}, once the run is done.
 */
export class RunDirectory {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  get checkpoint(): string {
    return join(this.path, 'checkpoint.safetensors')
  }

  get hasCheckpoint(): boolean {
    return existsSync(this.checkpoint)
  }

  /**
   * Makes the directory ready for a configuration.
   * @throws DirectoryError when it holds a run of another one, unless `fresh`, which throws that run away
   */
  async prepare(config: RunConfig, options: { readonly fresh?: boolean } = {}): Promise<void> {
    if (options.fresh) await this.clear()
    await this.check(config)
    await mkdir(this.path, { recursive: true })
    if ((await this.hash()) !== undefined) return
    const text = JSON.stringify({ hash: hashConfig(config), config }, null, 2)
    await writeAtomically(this.#configPath, `${text}\n`)
  }

  /** @throws DirectoryError when the directory holds a run of another configuration, or something else */
  async check(config: RunConfig): Promise<void> {
    const [own, held] = [hashConfig(config), await this.hash()]
    if (held === undefined || held === own) return
    throw new DirectoryError(
      `${this.path} holds a run with configuration ${held} but this one has ${own}; compare ${this.#configPath}, ` +
        'choose another --out, or give --fresh to throw the old run away',
    )
  }

  /** The configuration's hash, or `undefined` for an empty directory. */
  async hash(): Promise<string | undefined> {
    return (await this.#read())?.hash
  }

  /** @throws DirectoryError when this is no run directory */
  async config(): Promise<RunConfig> {
    const read = await this.#read()
    if (read === undefined) throw new DirectoryError(`${this.path} is no run directory: it has no config.json`)
    return read.config
  }

  async result(): Promise<RunResult | undefined> {
    const result = await readJson(this.#resultPath)
    if (result === undefined) return undefined
    if (!isRunResult(result)) throw new DirectoryError(`${this.#resultPath} is not the result of a run`)
    return result
  }

  async writeResult(result: RunResult): Promise<void> {
    await writeAtomically(this.#resultPath, `${JSON.stringify(result, null, 2)}\n`)
  }

  /** Records in order; a last line that was cut off in writing is left out. */
  async log(): Promise<readonly LogRecord[]> {
    const text = (await readIfThere(this.#logPath)) ?? ''
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    return whole.split('\n').flatMap((line) => (line === '' ? [] : [asRecord(line, this.#logPath)]))
  }

  async appendLog(records: readonly LogRecord[]): Promise<void> {
    await appendFile(this.#logPath, lines(records))
  }

  /** Drops what was logged after `step`, when a run goes on from there. */
  async truncateLog(step: number): Promise<void> {
    const kept = step === 0 ? [] : (await this.log()).filter((record) => record.step <= step)
    await writeAtomically(this.#logPath, lines(kept))
  }

  async clear(): Promise<void> {
    const files = [this.#configPath, this.#logPath, this.checkpoint, this.#resultPath]
    await Promise.all(files.map((file) => rm(file, { force: true })))
  }

  async #read(): Promise<{ hash: string; config: RunConfig } | undefined> {
    const read = await readJson(this.#configPath)
    if (read === undefined) return undefined
    if (!isStoredConfig(read)) throw new DirectoryError(`${this.#configPath} is not the configuration of a run`)
    return read
  }

  get #configPath(): string {
    return join(this.path, 'config.json')
  }

  get #logPath(): string {
    return join(this.path, 'log.jsonl')
  }

  get #resultPath(): string {
    return join(this.path, 'result.json')
  }
}

/** Where a comparison keeps one of its runs: `<out>/<task>/<mixer>/seed-<n>`. */
export function runPath(
  out: string,
  run: { readonly task: string; readonly mixer: string; readonly seed: number },
): string {
  return join(out, run.task, run.mixer, `seed-${run.seed}`)
}

function lines(records: readonly LogRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('')
}

function asRecord(line: string, path: string): LogRecord {
  const record: unknown = JSON.parse(line)
  if (isLogRecord(record)) return record
  throw new DirectoryError(`${path}: ${line} is not a record of a run`)
}

function isLogRecord(value: unknown): value is LogRecord {
  return typeof value === 'object' && value !== null && 'kind' in value && 'step' in value
}

/** The hash vouches for the shape: it was taken of a whole configuration. */
function isStoredConfig(value: unknown): value is { hash: string; config: RunConfig } {
  if (typeof value !== 'object' || value === null || !('hash' in value) || !('config' in value)) return false
  return hashOf(value.config) === value.hash
}
