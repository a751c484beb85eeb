import * as Plot from '@observablehq/plot'
import { type ComponentChild, h } from 'preact'
import { formatScore } from '../../format.ts'
import type { Benchmark } from '../../run/benchmark.ts'
import { type CountAt, type MqarResult, shareOf } from '../../run/evaluate.ts'
import { median } from '../../statistics/quantile.ts'
import { wilsonInterval } from '../../statistics/wilson.ts'
import { doneRuns, type ReportContext, type Series } from '../context.ts'
import { plotFigure } from '../plot.ts'
import { dataTable, foldedTable } from '../table.ts'

/** One way to cut the test set up. */
interface Cut {
  readonly title: string
  readonly label: string
  readonly read: (result: MqarResult) => readonly CountAt[]
  /** Value of the training, marked in the plot. */
  readonly trained?: number
}

interface Point {
  readonly at: number
  readonly accuracy: number
}

/** Recall accuracy against length, number of pairs, and distance. */
export function recallPanel(context: ReportContext): ComponentChild {
  const record = context.comparison.tasks.find(({ benchmark }) => benchmark.task === 'mqar')
  if (record === undefined || record.benchmark.task !== 'mqar') return undefined
  const guess = record.baselines.find(({ id }) => id === 'any value seen')?.value
  return h('section', { id: 'recall' }, [
    h('h2', null, 'Associative recall (MQAR)'),
    h(
      'p',
      null,
      'Key-value pairs are read, then keys are asked for. Dotted across: guessing among the values that were read. Dashed upright: what was trained. Bands: 95 % Wilson intervals over all answers of all seeds.',
    ),
    wholeTable(context),
    h(
      'div',
      { class: 'side' },
      cutsOf(record.benchmark).map((cut) => cutFigure(cut, guess, context)),
    ),
  ])
}

function cutsOf({ config }: Extract<Benchmark, { task: 'mqar' }>): readonly Cut[] {
  return [
    {
      title: 'Accuracy by sequence length',
      label: 'sequence length T',
      read: (r) => r.byLength,
      trained: config.length,
    },
    { title: 'Accuracy by distance from pair to query', label: 'gap (tokens)', read: (r) => r.byGap },
    { title: 'Accuracy by number of pairs', label: 'pairs', read: (r) => r.byPairs, trained: config.pairs },
  ]
}

function wholeTable(context: ReportContext): ComponentChild {
  const rows = context.series.flatMap(({ mixer, title }) => {
    const counts = resultsOf(mixer, context).map(({ whole }) => whole)
    if (counts.length === 0) return []
    const [correct, total] = [counts.reduce((n, c) => n + c.correct, 0), counts.reduce((n, c) => n + c.total, 0)]
    const { low, high } = wilsonInterval(correct, total)
    const solved = counts.filter((count) => shareOf(count) >= 0.99).length
    const interval = `${formatScore('mqar', low)} – ${formatScore('mqar', high)}`
    return [[title, formatScore('mqar', correct / total), interval, String(total), `${solved} of ${counts.length}`]]
  })
  return dataTable(
    'Accuracy over all answers of all finished seeds',
    ['mixer', 'accuracy', '95 % interval', 'answers', 'seeds with ≥ 99 %'],
    rows,
  )
}

function cutFigure(
  { title, label, read, trained }: Cut,
  guess: number | undefined,
  context: ReportContext,
): ComponentChild {
  const curves = context.series.map((series) => {
    const results = resultsOf(series.mixer, context).map(read)
    const pooled = pool(results)
    return { ...series, pooled, middle: medians(results), seeds: results.flatMap((counts) => counts.map(pointOf)) }
  })
  const ends = curves.flatMap(({ title: name, middle }) => {
    const [first, last] = [middle.at(0), middle.at(-1)]
    if (first === undefined || last === undefined) return []
    return [
      `${name} from ${formatScore('mqar', first.accuracy)} at ${first.at} to ${formatScore('mqar', last.accuracy)} at ${last.at}`,
    ]
  })
  const figure = plotFigure(
    { title, description: `${ends.join('; ')}.` },
    {
      marginTop: 28,
      x: { label },
      y: {
        label: 'accuracy',
        domain: [0, 1],
        percent: false,
        tickFormat: (share: number) => `${Math.round(100 * share)} %`,
        grid: true,
      },
      marks: [
        ...(guess === undefined ? [] : [Plot.ruleY([guess], { strokeDasharray: '2 4', strokeOpacity: 0.8 })]),
        ...(trained === undefined
          ? []
          : [
              Plot.ruleX([trained], { strokeDasharray: '5 4', strokeOpacity: 0.6 }),
              Plot.text([trained], { x: (at: number) => at, frameAnchor: 'top', dy: -14, text: () => 'trained' }),
            ]),
        ...curves.flatMap(marks),
      ],
    },
  )
  const places = [...new Set(curves.flatMap(({ middle }) => middle.map(({ at }) => at)))].sort((a, b) => a - b)
  const rows = curves.map(({ title: name, middle }) => [
    name,
    ...places.map((place) => {
      const point = middle.find(({ at }) => at === place)
      return point === undefined ? '–' : formatScore('mqar', point.accuracy)
    }),
  ])
  return h('div', null, [figure, foldedTable(`${title}: medians`, ['mixer', ...places.map(String)], rows)])
}

function marks(
  curve: Series & { pooled: readonly CountAt[]; middle: readonly Point[]; seeds: readonly Point[] },
): Plot.Markish[] {
  const { colour, dash, symbol, pooled, middle, seeds } = curve
  const band = pooled.map((count) => ({ at: count.at, ...wilsonInterval(count.correct, count.total) }))
  return [
    Plot.areaY(band, { x: 'at', y1: 'low', y2: 'high', fill: colour, fillOpacity: 0.15 }),
    Plot.line(middle, { x: 'at', y: 'accuracy', stroke: colour, strokeWidth: 2, strokeDasharray: dash }),
    Plot.dot(seeds, { x: 'at', y: 'accuracy', stroke: colour, symbol, r: 3 }),
  ]
}

function resultsOf(mixer: string, context: ReportContext): readonly MqarResult[] {
  return doneRuns(context)
    .filter(({ spec }) => spec.mixer === mixer)
    .flatMap(({ result: { test } }) => (test.task === 'mqar' ? [test] : []))
}

function pointOf(count: CountAt): Point {
  return { at: count.at, accuracy: shareOf(count) }
}

function medians(results: readonly (readonly CountAt[])[]): readonly Point[] {
  return placesOf(results).map((at) => ({ at, accuracy: median(countsAt(results, at).map(shareOf)) }))
}

function pool(results: readonly (readonly CountAt[])[]): readonly CountAt[] {
  return placesOf(results).map((at) => {
    const counts = countsAt(results, at)
    return { at, correct: counts.reduce((n, c) => n + c.correct, 0), total: counts.reduce((n, c) => n + c.total, 0) }
  })
}

function placesOf(results: readonly (readonly CountAt[])[]): readonly number[] {
  return [...new Set(results.flat().map(({ at }) => at))].sort((a, b) => a - b)
}

function countsAt(results: readonly (readonly CountAt[])[], place: number): readonly CountAt[] {
  return results.flat().filter(({ at }) => at === place)
}
