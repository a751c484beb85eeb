import { type ComponentChild, h } from 'preact'
import { formatBytes, formatCount, formatDuration, formatFlop, formatScore, scoreName } from '../../format.ts'
import type { TaskRecord } from '../../run/compare.ts'
import { ceilingOf, chanceOf, medianOf, type Summary, warmOf } from '../../summary.ts'
import type { ReportContext } from '../context.ts'
import { dataTable } from '../table.ts'

/** Task × mixer: median scores between chance and the best baseline, and what they cost. */
export function overviewPanel(context: ReportContext): ComponentChild {
  const { comparison, series } = context
  const failures = comparison.runs.flatMap((run) => (run.status === 'failed' ? [run] : []))
  return h('section', { id: 'overview' }, [
    h('h2', null, 'Overview'),
    h(
      'p',
      null,
      'Median over the seeds. The fuller a cell is coloured, the nearer it is to the best baseline from chance.',
    ),
    h('div', { class: 'scroll' }, [
      h('table', { class: 'matrix' }, [
        h('caption', null, 'Scores by task and mixer'),
        h(
          'thead',
          null,
          h('tr', null, headCells(['task', ...series.map(({ title }) => title), 'chance', 'best baseline'])),
        ),
        h(
          'tbody',
          null,
          comparison.tasks.map((record) => matrixRow(record, context)),
        ),
      ]),
    ]),
    ...comparison.tasks.map((record) => costTable(record, context)),
    ...(failures.length === 0 ? [] : [h('h3', null, 'Failed runs')]),
    ...failures.map(({ spec, message }) =>
      h('p', { class: 'failure' }, `${spec.task}, ${spec.mixer}, seed ${spec.seed}: ${message}`),
    ),
  ])
}

function matrixRow(record: TaskRecord, { summaries, series }: ReportContext): ComponentChild {
  const { task, id } = record.benchmark
  const best = ceilingOf(record)
  const cells = series.map(({ mixer }) =>
    scoreCell(
      record,
      summaries.find((summary) => summary.task === task && summary.mixer === mixer),
    ),
  )
  return h('tr', null, [
    h('th', { scope: 'row' }, [id, h('br', null), h('span', { class: 'soft' }, scoreName(task))]),
    ...cells,
    h('td', { class: 'soft' }, formatScore(task, chanceOf(record))),
    h('td', { class: 'soft' }, [formatScore(task, best.value), h('br', null), best.id]),
  ])
}

function scoreCell(record: TaskRecord, summary: Summary | undefined): ComponentChild {
  if (summary === undefined) return h('td', { class: 'soft' }, 'not run')
  const { task, median, mean, failed, scores } = summary
  const chance = chanceOf(record)
  const place = Math.min(1, Math.max(0, (median - chance) / (ceilingOf(record).value - chance)))
  const background = `color-mix(in srgb, var(--good) ${Math.round(100 * place)}%, transparent)`
  const interval =
    mean === undefined
      ? ''
      : `mean ${formatScore(task, mean.mean)}, 95 % ${formatScore(task, mean.low)} – ${formatScore(task, mean.high)}`
  return h('td', { style: { background }, class: failed > 0 ? 'failed' : undefined }, [
    h('strong', null, formatScore(task, median)),
    interval === '' ? null : h('div', { class: 'soft' }, interval),
    failed === 0 ? null : h('em', null, ` ${failed} of ${scores.length} failed: counted as chance`),
  ])
}

function costTable({ benchmark }: TaskRecord, { summaries, series }: ReportContext): ComponentChild {
  const rows = series.flatMap(({ mixer, title }) => {
    const summary = summaries.find((one) => one.task === benchmark.task && one.mixer === mixer)
    return summary === undefined ? [] : [costRow(title, summary)]
  })
  const warm = benchmark.task === 'text' ? ['state carried'] : []
  const head = [
    'mixer',
    'every seed',
    ...warm,
    'parameters',
    'training FLOP',
    'training tokens/s',
    'time per run',
    'state at T',
  ]
  return dataTable(`${benchmark.id}: what it took`, head, rows)
}

function costRow(title: string, { task, scores, results }: Summary): string[] {
  const show = (read: Parameters<typeof medianOf>[1], format: (value: number) => string) => {
    const value = medianOf(results, read)
    return value === undefined ? '–' : format(value)
  }
  return [
    title,
    scores.map((score) => formatScore(task, score)).join(', '),
    ...(task === 'text'
      ? [
          show(
            ({ test }) => warmOf(test),
            (value) => formatScore(task, value),
          ),
        ]
      : []),
    show(
      ({ parameters }) => parameters,
      (value) => value.toLocaleString('en'),
    ),
    show(({ flop }) => flop, formatFlop),
    show(({ tokensPerSecond }) => tokensPerSecond, formatCount),
    show(({ wallMs }) => wallMs / 1000, formatDuration),
    show(({ state }) => state[0]?.bytes, formatBytes),
  ]
}

function headCells(names: readonly string[]): readonly ComponentChild[] {
  return names.map((name) => h('th', { scope: 'col' }, name))
}
