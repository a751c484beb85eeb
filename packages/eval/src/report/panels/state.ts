import * as Plot from '@observablehq/plot'
import { type ComponentChild, h } from 'preact'
import { formatBytes, formatScore } from '../../format.ts'
import { scoreOf } from '../../run/evaluate.ts'
import { doneRuns, type ReportContext } from '../context.ts'
import { plotFigure } from '../plot.ts'
import { dataTable } from '../table.ts'

/** What a mixer remembers with against what it remembers. */
export function statePanel(context: ReportContext): ComponentChild {
  const points = context.series.flatMap(({ mixer, title, colour, symbol }) =>
    doneRuns(context)
      .filter(({ spec }) => spec.task === 'mqar' && spec.mixer === mixer)
      .map(({ result }) => ({ title, colour, symbol, state: result.state, accuracy: scoreOf(result.test) })),
  )
  if (points.length === 0) return undefined
  const firsts = points.filter(({ title }, index) => points.findIndex((other) => other.title === title) === index)
  const kibibytes = ({ state }: (typeof points)[number]) => state[0].bytes / 1024
  const text = {
    title: 'State of one sequence against recall',
    description: `${firsts.map(({ title, state, accuracy }) => `${title}: ${formatBytes(state[0].bytes)}, ${formatScore('mqar', accuracy)}`).join('; ')}.`,
  }
  const figure = plotFigure(text, {
    marginTop: 28,
    marginRight: 30,
    x: {
      label: 'state after the training length (KiB)',
      type: 'log',
      domain: domainAround(points.map(kibibytes)),
      grid: true,
    },
    y: { label: 'accuracy', domain: [0, 1], tickFormat: (share: number) => `${Math.round(100 * share)} %`, grid: true },
    marks: points.flatMap((point) => [
      Plot.dot([point], {
        x: kibibytes,
        y: 'accuracy',
        stroke: point.colour,
        fill: point.colour,
        fillOpacity: 0.3,
        symbol: point.symbol,
        r: 6,
      }),
    ]),
  })
  const rows = firsts.map(({ title, state }) => [title, ...state.map(({ bytes }) => formatBytes(bytes))])
  const lengths = firsts[0].state.map(({ length }) => `T = ${length}`)
  return h('section', { id: 'state' }, [
    h('h2', null, 'State size and recall'),
    h('p', null, 'Everything a model carries from token to token for one sequence. Up and to the left is better.'),
    h('div', { class: 'side' }, [figure, dataTable('State of one sequence', ['mixer', ...lengths], rows)]),
  ])
}

/** Room to both sides on a logarithmic axis, also around a single value. */
function domainAround(values: readonly number[]): readonly [number, number] {
  return [Math.min(...values) / 2, Math.max(...values) * 2]
}
