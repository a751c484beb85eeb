import type { RunConfig } from './config.ts'
import type { Environment } from './environment.ts'
import type { TestResult } from './evaluate.ts'

/** What a finished run has to say. */
export interface RunResult {
  readonly config: RunConfig
  readonly hash: string
  readonly test: TestResult
  /** The task's metric on part of the validation split, after the last step. */
  readonly validation: number
  /** Trainable scalars of the whole model. */
  readonly parameters: number
  /** State of one sequence after each of some numbers of tokens, in bytes; the first is the training length. */
  readonly state: readonly { readonly length: number; readonly bytes: number }[]
  /** Training cost, estimated. */
  readonly flop: number
  /** Whole run, checkpoints and evaluation included, over all sessions. */
  readonly wallMs: number
  /** Training tokens per second of training, updates included. */
  readonly tokensPerSecond: number
  readonly dtype: string
  /** Package and version of the data. */
  readonly data: string
  readonly environment: Environment
  /** Text continued by the model, where the task is text. */
  readonly sample?: { readonly prompt: string; readonly text: string }
}

export function isRunResult(value: unknown): value is RunResult {
  const fields = ['config', 'hash', 'test', 'parameters', 'state', 'flop', 'wallMs', 'tokensPerSecond', 'environment']
  return typeof value === 'object' && value !== null && fields.every((field) => field in value)
}
