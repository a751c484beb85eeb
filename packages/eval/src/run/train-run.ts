import { defaultDType, useExecutor } from '@mixtape/autodiff'
import { adamW, countParameters, type LanguageModel, type Optimizer, train, warmupCosine } from '@mixtape/nn'
import { loadCheckpoint, saveCheckpoint } from '@mixtape/nn/node'
import { executors } from '../executors.ts'
import { mixerEntry } from '../mixers.ts'
import { flopEstimate } from '../tasks/budget.ts'
import { benchmark } from './benchmark.ts'
import { breathe, Stopped } from './breathe.ts'
import { hashConfig, type RunConfig, type RunSpec, resolveRun } from './config.ts'
import { type LogRecord, RunDirectory } from './directory.ts'
import { environment } from './environment.ts'
import { evaluateTest, validate } from './evaluate.ts'
import { dataSource, type LoadedTask, loadTask } from './loaded-task.ts'
import { hasFixedState, stateBytes } from './measure.ts'
import { comparedModel, multipliedWeights, tokenBatch } from './model.ts'
import type { RunResult } from './result.ts'
import { continueText } from './sample.ts'

export interface TrainRunOptions {
  /** Directory of this run. */
  readonly directory: string
  /** Throw away what the directory holds. Default false: go on from there. */
  readonly fresh?: boolean
  /** Steps between checkpoints. Default: a tenth of the run, but 500 at most. */
  readonly checkpointEvery?: number
  /** Ends the run after the step it is in, with a checkpoint. */
  readonly signal?: AbortSignal
  /** Called after every step and every batch of an evaluation. */
  readonly onProgress?: (progress: Progress) => void
}

/** How far a run is. */
export interface Progress {
  readonly phase: 'training' | 'testing'
  /** Steps done, and of the whole run. */
  readonly step: number
  readonly steps: number
  /** Loss of the last step in nats; absent before the first of this session. */
  readonly loss?: number
  readonly tokensPerSecond?: number
}

export type RunOutcome =
  | { readonly status: 'done'; readonly result: RunResult; readonly resumedFrom?: number }
  | { readonly status: 'interrupted'; readonly step: number }

export const samplePrompt = 'The whale '
const SAMPLE = { tokens: 400, temperature: 0.8 }
const VALIDATIONS = 5

/**
 * Trains and tests one model, or goes on with it where its directory's checkpoint stands: losses and results are the same
 * to the bit as without the interruption. A run that is already done only gives its result.
 *
 * @throws DirectoryError when the directory holds a run of another configuration; Error when the loss diverges
 */
export async function trainRun(spec: RunSpec, options: TrainRunOptions): Promise<RunOutcome> {
  await useExecutor(executors[spec.executor ?? 'wasm']())
  const config = resolveRun(spec)
  const directory = new RunDirectory(options.directory)
  await directory.prepare(config, options)
  const done = await directory.result()
  if (done !== undefined) return { status: 'done', result: done }

  const session = new Session(config, await loadTask(benchmarkOf(config)), directory, options)
  const resumedFrom = await session.resume()
  try {
    await session.train()
    const result = await session.finish()
    return { status: 'done', result, ...(resumedFrom === 0 ? {} : { resumedFrom }) }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    return { status: 'interrupted', step: session.step }
  }
}

/** A model as a run's checkpoint holds it, on the executor of the run, and the steps it has trained. */
export async function loadRun(
  path: string,
): Promise<{ readonly config: RunConfig; readonly model: LanguageModel; readonly step: number }> {
  const directory = new RunDirectory(path)
  const config = await directory.config()
  await useExecutor(executors[config.executor]())
  const model = comparedModel(config.model, config.seed)
  const { step } = await loadCheckpoint(directory.checkpoint, { model })
  return { config, model, step }
}

/** The benchmark as a run's configuration has settled it. */
export function benchmarkOf(config: RunConfig): ReturnType<typeof benchmark> {
  return benchmark(config.task, config.budget)
}

/** Training FLOP of a run, estimated (evaluation spec §1.1). */
export function runFlop(config: RunConfig, model: LanguageModel): number {
  const { length, batchSize } = benchmarkOf(config).config
  const { layers, mixer } = config.model
  return flopEstimate({
    weights: multipliedWeights(model),
    tokens: config.training.steps * batchSize * length,
    mixerFlopPerToken: layers * mixerEntry(mixer).flopPerToken({ ...config.model, length }),
  })
}

/** AdamW as all models of the suite are trained with it. */
export function runOptimizer(config: RunConfig, model: LanguageModel): Optimizer {
  return adamW(model.parameters(), { weightDecay: config.training.weightDecay })
}

/** A run while it is in memory. */
class Session {
  step = 0
  readonly #config: RunConfig
  readonly #loaded: LoadedTask
  readonly #directory: RunDirectory
  readonly #options: TrainRunOptions
  readonly #model: LanguageModel
  readonly #optimizer: Optimizer
  readonly #started = performance.now()
  #unlogged: LogRecord[] = []
  #wallBefore = 0
  #trainingMs = 0
  #loss: number | undefined

  constructor(config: RunConfig, loaded: LoadedTask, directory: RunDirectory, options: TrainRunOptions) {
    this.#config = config
    this.#loaded = loaded
    this.#directory = directory
    this.#options = options
    this.#model = comparedModel(config.model, config.seed)
    this.#optimizer = runOptimizer(config, this.#model)
  }

  /** Gives the step the run goes on from. */
  async resume(): Promise<number> {
    const [model, optimizer] = [this.#model, this.#optimizer]
    if (this.#directory.hasCheckpoint) {
      const { step, metadata } = await loadCheckpoint(this.#directory.checkpoint, { model, optimizer })
      this.step = step
      this.#wallBefore = Number(metadata.wallMs)
      this.#trainingMs = Number(metadata.trainingMs)
    }
    await this.#directory.truncateLog(this.step)
    return this.step
  }

  async train(): Promise<void> {
    const { steps, learningRate } = this.#config.training
    const { signal, checkpointEvery = Math.min(500, Math.ceil(steps / 10)) } = this.#options
    const { task } = this.#loaded
    const { seed } = this.#config
    const schedule = warmupCosine({ peak: learningRate, steps })
    const batch = (step: number) => tokenBatch(task.trainingBatch(seed, step))
    const every = Math.ceil(steps / VALIDATIONS)
    let began = performance.now()
    for await (const record of train(this.#model, batch, {
      steps,
      from: this.step,
      optimizer: this.#optimizer,
      schedule,
    })) {
      this.#trainingMs += performance.now() - began
      this.step = record.step
      this.#loss = record.loss
      const { step, loss, gradientNorm } = record
      this.#unlogged.push({ kind: 'train', step, loss, gradientNorm, learningRate: record.learningRate })
      if (step % every === 0 && step < steps) this.#unlogged.push(await this.#validation())
      this.#report('training')
      await breathe(undefined)
      const stopped = signal?.aborted === true
      if (stopped || step % checkpointEvery === 0 || step === steps) await this.#save()
      if (stopped) throw new Stopped()
      began = performance.now()
    }
  }

  async finish(): Promise<RunResult> {
    const config = this.#config
    const { signal } = this.#options
    const model = this.#model
    const evaluation = {
      seed: config.seed,
      fixedState: hasFixedState(model),
      signal,
      onBatch: () => this.#report('testing'),
    }
    const test = await evaluateTest(model, this.#loaded, evaluation)
    const validation = await validate(model, this.#loaded, evaluation)
    const sample = this.#loaded.name === 'text' ? { sample: await this.#sample() } : {}
    const { length } = this.#loaded.task
    const result: RunResult = {
      config,
      hash: hashConfig(config),
      test,
      validation,
      parameters: countParameters(model),
      state: [1, 2, 8].map((times) => ({ length: times * length, bytes: stateBytes(model, times * length) })),
      flop: runFlop(config, model),
      wallMs: this.#wallMs(),
      tokensPerSecond: this.#tokensPerSecond(),
      dtype: defaultDType(),
      data: dataSource(this.#loaded),
      environment: environment(),
      ...sample,
    }
    await this.#directory.writeResult(result)
    return result
  }

  async #sample(): Promise<{ prompt: string; text: string }> {
    const { seed } = this.#config
    let text = ''
    const options = { ...SAMPLE, prompt: samplePrompt, seed, signal: this.#options.signal }
    for await (const piece of continueText(this.#model, options)) text += piece
    return { prompt: samplePrompt, text }
  }

  async #validation(): Promise<LogRecord> {
    const value = await validate(this.#model, this.#loaded, { seed: this.#config.seed })
    return { kind: 'validation', step: this.step, value }
  }

  /** The log first: what it has too much is dropped on resuming, what it had too little would be lost. */
  async #save(): Promise<void> {
    await this.#directory.appendLog(this.#unlogged)
    this.#unlogged = []
    await saveCheckpoint(this.#directory.checkpoint, {
      model: this.#model,
      optimizer: this.#optimizer,
      step: this.step,
      metadata: { wallMs: String(this.#wallMs()), trainingMs: String(this.#trainingMs) },
    })
  }

  #report(phase: Progress['phase']): void {
    const { onProgress } = this.#options
    onProgress?.({
      phase,
      step: this.step,
      steps: this.#config.training.steps,
      ...(this.#loss === undefined ? {} : { loss: this.#loss, tokensPerSecond: this.#tokensPerSecond() }),
    })
  }

  #wallMs(): number {
    return this.#wallBefore + performance.now() - this.#started
  }

  #tokensPerSecond(): number {
    const { batchSize, length } = this.#loaded.task
    return (1000 * this.step * batchSize * length) / this.#trainingMs
  }
}
