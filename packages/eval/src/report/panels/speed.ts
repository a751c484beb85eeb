import * as Plot from '@observablehq/plot'
import { type ComponentChild, h } from 'preact'
import { formatCount } from '../../format.ts'
import type { Throughput } from '../../run/measure.ts'
import type { ReportContext } from '../context.ts'
import { plotFigure } from '../plot.ts'
import { foldedTable } from '../table.ts'

type Way = 'forward' | 'decode'

const titles: Readonly<Record<Way, string>> = {
  forward: 'Whole sequence at once',
  decode: 'One token more, after T tokens',
}

/** Tokens per second of the trained models against the length of the sequence. */
export function speedPanel(context: ReportContext): ComponentChild {
  if (context.comparison.throughput.length === 0) return undefined
  const { environment, comparison } = context
  return h('section', { id: 'speed' }, [
    h('h2', null, 'Speed'),
    h(
      'p',
      null,
      `Single sequences, without gradients, executor ${comparison.spec.executor ?? 'wasm'} on ${environment.cpu}. Slope: of time per sequence against T on logarithmic axes over the longer half; 1 is linear, 2 quadratic.`,
    ),
    h('div', { class: 'side' }, [wayFigure('forward', context), wayFigure('decode', context)]),
  ])
}

function wayFigure(way: Way, { comparison, series }: ReportContext): ComponentChild {
  const curves = series.flatMap((one) => {
    const curve = comparison.throughput.find(({ mixer }) => mixer === one.mixer)?.curve ?? []
    return curve.length === 0 ? [] : [{ ...one, curve }]
  })
  const ends = curves.map(({ title, curve }) => {
    const [first, last] = [curve[0], curve[curve.length - 1]]
    return `${title} from ${formatCount(first[way])} at ${first.length} to ${formatCount(last[way])} at ${last.length}`
  })
  const title = `${titles[way]}: tokens per second`
  const figure = plotFigure(
    { title, description: `${ends.join('; ')}.` },
    {
      x: { label: 'T (tokens)', type: 'log', base: 2, tickFormat: 'd' },
      y: { label: 'tokens per second', type: 'log', grid: true, ticks: 5, tickFormat: '~s' },
      marks: curves.flatMap(({ colour, dash, symbol, curve }) => [
        Plot.line(curve, { x: 'length', y: way, stroke: colour, strokeWidth: 2, strokeDasharray: dash }),
        Plot.dot(curve, { x: 'length', y: way, stroke: colour, symbol }),
      ]),
    },
  )
  const lengths = [...new Set(curves.flatMap(({ curve }) => curve.map(({ length }) => length)))].sort((a, b) => a - b)
  const rows = curves.map(({ title: name, curve }) => [
    name,
    ...lengths.map((length) => {
      const point = curve.find((one) => one.length === length)
      return point === undefined ? '–' : formatCount(point[way])
    }),
    ...(way === 'forward' ? [slope(curve)] : []),
  ])
  const head = ['mixer', ...lengths.map(String), ...(way === 'forward' ? ['slope'] : [])]
  return h('div', null, [figure, foldedTable(title, head, rows)])
}

/** Least squares of log time against log length, over the longer half of the lengths. */
function slope(curve: readonly Throughput[]): string {
  const long = curve.slice(Math.floor(curve.length / 2))
  if (long.length < 2) return '–'
  const points = long.map(({ length, forward }) => ({ x: Math.log(length), y: Math.log(length / forward) }))
  const mean = (read: (point: { x: number; y: number }) => number) =>
    points.reduce((sum, point) => sum + read(point), 0) / points.length
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)]
  const covariance = mean(({ x, y }) => (x - meanX) * (y - meanY))
  return (covariance / mean(({ x }) => (x - meanX) ** 2)).toFixed(2)
}
