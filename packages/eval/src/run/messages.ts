import type { RunSpec } from './config.ts'
import type { Throughput } from './measure.ts'
import type { Progress, RunOutcome, TrainRunOptions } from './train-run.ts'

/** What a child process is to do. */
export type Job =
  | {
      readonly kind: 'run'
      readonly spec: RunSpec
      readonly options: Pick<TrainRunOptions, 'directory' | 'fresh' | 'checkpointEvery'>
    }
  | { readonly kind: 'throughput'; readonly directory: string; readonly lengths: readonly number[] }

/** Parent to child. */
export type Order = { readonly type: 'do'; readonly job: Job } | { readonly type: 'stop' }

/** Child to parent: any number of progress reports, then one of the others. */
export type Report =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'run'; readonly outcome: RunOutcome }
  | { readonly type: 'throughput'; readonly curve: readonly Throughput[] }
  | { readonly type: 'failed'; readonly message: string; readonly stack?: string }
