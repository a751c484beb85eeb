import * as Plot from '@observablehq/plot'
import { type ComponentChild, h } from 'preact'
import { formatScore } from '../../format.ts'
import { ceilingOf, warmOf } from '../../summary.ts'
import type { ReportContext } from '../context.ts'
import { plotFigure } from '../plot.ts'
import { dataTable } from '../table.ts'

interface Row {
  readonly name: string
  readonly value: number
  readonly colour: string
}

/** Bits per byte of models and classical compressors, on one scale. */
export function textPanel(context: ReportContext): ComponentChild {
  const { comparison, summaries, series } = context
  const record = comparison.tasks.find(({ benchmark }) => benchmark.task === 'text')
  if (record === undefined) return undefined
  const own = series.flatMap((one) => {
    const summary = summaries.find(({ task, mixer }) => task === 'text' && mixer === one.mixer)
    return summary === undefined ? [] : [{ ...one, summary }]
  })
  const seeds: Row[] = own.flatMap(({ title, colour, summary }) =>
    summary.scores.map((value) => ({ name: title, value, colour })),
  )
  const medians: Row[] = [
    ...own.map(({ title, colour, summary }) => ({ name: title, value: summary.median, colour })),
    ...record.baselines.map(({ id, value }) => ({ name: id, value, colour: 'var(--soft)' })),
  ].sort((a, b) => a.value - b.value)
  const best = ceilingOf(record)
  const text = {
    title: 'Bits per byte on the test text, lower is better',
    description: `In order: ${medians.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join(', ')}.`,
  }
  const figure = plotFigure(text, {
    marginLeft: 230,
    marginRight: 50,
    height: 60 + 26 * medians.length,
    x: { label: 'bits per byte', grid: true, zero: true },
    y: { label: null, domain: medians.map(({ name }) => name) },
    marks: [
      Plot.ruleY(medians, { y: 'name', x: 'value', stroke: 'colour', strokeWidth: 3 }),
      Plot.dot(seeds, { y: 'name', x: 'value', stroke: 'colour', r: 4 }),
      Plot.text(medians, {
        y: 'name',
        x: 'value',
        text: ({ value }: Row) => value.toFixed(3),
        dx: 10,
        textAnchor: 'start',
      }),
    ],
  })
  const rows = own.map(({ title, summary }) => [
    title,
    formatScore('text', summary.median),
    ...[summary.results.flatMap(({ test }) => warmOf(test) ?? [])].map((warm) =>
      warm.length === 0 ? 'state grows' : warm.map((value) => formatScore('text', value)).join(', '),
    ),
    (summary.median - best.value).toFixed(3),
  ])
  return h('section', { id: 'text' }, [
    h('h2', null, 'Language modelling in bytes'),
    h(
      'p',
      null,
      'Every byte of the test text is predicted once, in windows of the training length. Cold: each window begins without memory. Carried: the state goes on from window to window, for mixers whose state does not grow.',
    ),
    h('div', { class: 'side' }, [
      figure,
      dataTable('Bits per byte', ['mixer', 'cold (median)', 'carried (every seed)', `above ${best.id} by`], rows),
    ]),
  ])
}
