import { mixerEntry } from '../mixers.ts'
import type { Comparison, RunRecord } from '../run/compare.ts'
import type { Environment } from '../run/environment.ts'
import { type Summary, summarise } from '../summary.ts'
import { type SeriesStyle, seriesStyle } from './plot.ts'

/** What is said about a comparison besides its numbers. */
export interface ReportMeta {
  /** How to repeat it. */
  readonly command: string
  readonly made: Date
  readonly environment: Environment
}

/** A comparison as all panels see it. */
export interface ReportContext extends ReportMeta {
  readonly comparison: Comparison
  readonly summaries: readonly Summary[]
  readonly series: readonly Series[]
}

/** A mixer and how it looks in every plot. */
export interface Series extends SeriesStyle {
  readonly mixer: string
  readonly title: string
}

export function reportContext(comparison: Comparison, meta: ReportMeta): ReportContext {
  const series = comparison.spec.mixers.map((mixer, index) => ({
    mixer,
    title: mixerEntry(mixer).title,
    ...seriesStyle(index),
  }))
  return { ...meta, comparison, summaries: summarise(comparison), series }
}

export type DoneRun = Extract<RunRecord, { readonly status: 'done' }>

export function doneRuns({ comparison }: ReportContext): readonly DoneRun[] {
  return comparison.runs.filter((run) => run.status === 'done')
}
