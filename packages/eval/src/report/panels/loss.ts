import * as Plot from '@observablehq/plot'
import { type ComponentChild, h } from 'preact'
import type { RunRecord, TaskRecord } from '../../run/compare.ts'
import type { LogRecord } from '../../run/directory.ts'
import { median } from '../../statistics/quantile.ts'
import type { ReportContext, Series } from '../context.ts'
import { plotFigure } from '../plot.ts'
import { foldedTable } from '../table.ts'

/** Points of a curve: each is the mean over as many steps as fall to it. */
const POINTS = 100
/** Of the run, at which the table beside the plot stands. */
const SHARES = [0.1, 0.25, 0.5, 1]

interface Point {
  readonly step: number
  readonly loss: number
}

/** Training loss against steps: every seed thin, their median bold. */
export function lossPanel(context: ReportContext): ComponentChild {
  return h('section', { id: 'loss' }, [
    h('h2', null, 'Training loss'),
    h(
      'p',
      null,
      `Cross entropy in nats, averaged over each ${POINTS}th of the run. Thin: seeds. Bold: their median. A curve that stops early is a run that failed.`,
    ),
    h(
      'div',
      { class: 'side' },
      context.comparison.tasks.map((record) => lossFigure(record, context)),
    ),
  ])
}

function lossFigure({ benchmark }: TaskRecord, { comparison, series }: ReportContext): ComponentChild {
  const steps = comparison.spec.steps ?? benchmark.training.steps
  const curves = series.map((one) => {
    const runs = comparison.runs.filter(({ spec }) => spec.task === benchmark.task && spec.mixer === one.mixer)
    const seeds = runs.flatMap((run) => (hasLog(run) ? [binned(run.log, steps)] : []))
    return { ...one, seeds, middle: medianCurve(seeds) }
  })
  const last = curves.flatMap(({ title, middle }) => {
    const end = middle.at(-1)
    return end === undefined ? [] : [`${title} ${end.loss.toFixed(2)}`]
  })
  const text = { title: `${benchmark.id}: loss by step`, description: `At the end: ${last.join(', ')} nats.` }
  const figure = plotFigure(text, {
    x: { label: 'step' },
    y: { label: 'loss (nats)', grid: true, zero: true },
    marks: [Plot.ruleY([0], { strokeOpacity: 0.4 }), ...curves.flatMap(marks)],
  })
  const rows = curves.map(({ title, middle }) => [
    title,
    ...SHARES.map((share) => middle.find(({ step }) => step >= share * steps)?.loss.toFixed(3) ?? '–'),
  ])
  const table = foldedTable(
    'Median loss at a tenth, a quarter, half and the end',
    ['mixer', ...SHARES.map((share) => `${100 * share} %`)],
    rows,
  )
  return h('div', null, [figure, table])
}

function marks({
  colour,
  dash,
  seeds,
  middle,
}: Series & { seeds: readonly (readonly Point[])[]; middle: readonly Point[] }): Plot.Markish[] {
  const at = { x: 'step', y: 'loss', stroke: colour, curve: 'linear' } as const
  const thin =
    seeds.length < 2 ? [] : seeds.map((points) => Plot.line(points, { ...at, strokeWidth: 1, strokeOpacity: 0.45 }))
  return [...thin, Plot.line(middle, { ...at, strokeWidth: 2.5, strokeDasharray: dash })]
}

function binned(log: readonly LogRecord[], steps: number): readonly Point[] {
  const training = log.flatMap((record) => (record.kind === 'train' ? [record] : []))
  const size = Math.ceil(steps / POINTS)
  const points: Point[] = []
  for (let start = 0; start < training.length; start += size) {
    const bin = training.slice(start, start + size)
    const loss = bin.reduce((sum, record) => sum + record.loss, 0) / bin.length
    points.push({ step: bin[bin.length - 1].step, loss })
  }
  return points
}

/** At the steps that every seed reached. */
function medianCurve(seeds: readonly (readonly Point[])[]): readonly Point[] {
  if (seeds.length === 0) return []
  const length = Math.min(...seeds.map((points) => points.length))
  return Array.from({ length }, (_, i) => ({
    step: seeds[0][i].step,
    loss: median(seeds.map((points) => points[i].loss)),
  }))
}

function hasLog(run: RunRecord): run is Exclude<RunRecord, { readonly status: 'interrupted' }> {
  return run.status !== 'interrupted' && run.log.length > 0
}
