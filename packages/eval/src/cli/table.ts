import Table from 'cli-table3'
import { formatBytes, formatCount, formatDuration, formatScore, scoreName } from '../format.ts'
import { mixerEntry } from '../mixers.ts'
import type { Comparison, TaskRecord } from '../run/compare.ts'
import { shareOf, type TestResult } from '../run/evaluate.ts'
import { ceilingOf, medianOf, type Summary, summarise, warmOf } from '../summary.ts'
import type { Colours } from './streams.ts'

/** A table per task: the models, then the baselines. */
export function comparisonTables(comparison: Comparison, colours: Colours): string {
  const summaries = summarise(comparison)
  return comparison.tasks
    .map((record) => {
      const own = summaries.filter(({ task }) => task === record.benchmark.task)
      return `${colours.bold(titleOf(record))}\n${taskTable(record, own, colours)}`
    })
    .join('\n\n')
}

/** What the test of one model gave, as lines. */
export function testLines(test: TestResult): string {
  if (test.task === 'text') {
    const warm = test.warm === undefined ? '' : `, ${test.warm.toFixed(3)} with the state carried`
    return `${test.cold.toFixed(3)} bits per byte${warm}`
  }
  const { whole, byLength, byPairs } = test
  const cut = (name: string, counts: typeof byLength) =>
    `by ${name}: ${counts.map((count) => `${count.at} ${formatScore('mqar', shareOf(count))}`).join(', ')}`
  const accuracy = `accuracy ${formatScore('mqar', shareOf(whole))} of ${whole.total} answers`
  return [accuracy, cut('length', byLength), cut('pairs', byPairs)].join('\n')
}

function titleOf({ benchmark }: TaskRecord): string {
  const { length, batchSize } = benchmark.config
  const { width, layers, heads } = benchmark.model
  const better = benchmark.task === 'text' ? 'lower' : 'higher'
  return `${benchmark.id}: T ${length}, batch ${batchSize}, width ${width}, ${layers} layers, ${heads} heads; ${scoreName(benchmark.task)}, ${better} is better`
}

function taskTable(record: TaskRecord, summaries: readonly Summary[], colours: Colours): string {
  const { task } = record.benchmark
  const isText = task === 'text'
  const head = [
    'model',
    `${scoreName(task)} (median)`,
    ...(isText ? ['warm'] : []),
    'seeds',
    'parameters',
    `state at T`,
    'tokens/s',
    'time',
  ]
  const table = new Table({ head, style: { head: [], border: [], compact: true }, colAligns: ['left'] })
  for (const summary of summaries) table.push(modelRow(summary, isText, colours))
  const best = ceilingOf(record)
  for (const baseline of record.baselines) {
    const name = baseline === best ? `${baseline.id} (best baseline)` : baseline.id
    const empty = Array.from({ length: head.length - 2 }, () => '')
    table.push([name, formatScore(task, baseline.value), ...empty].map((cell) => colours.dim(cell)))
  }
  return table.toString()
}

function modelRow(summary: Summary, isText: boolean, colours: Colours): string[] {
  const { task, mixer, results, failed } = summary
  const show = (read: Parameters<typeof medianOf>[1], format: (value: number) => string) => {
    const value = medianOf(results, read)
    return value === undefined ? '–' : format(value)
  }
  const scores = summary.scores.map((score) => formatScore(task, score)).join('  ')
  return [
    colours.bold(mixerEntry(mixer).title),
    colours.bold(formatScore(task, summary.median)),
    ...(isText
      ? [
          show(
            ({ test }) => warmOf(test),
            (value) => value.toFixed(3),
          ),
        ]
      : []),
    failed === 0 ? scores : colours.red(`${scores}  (${failed} failed: chance)`),
    show(({ parameters }) => parameters, formatCount),
    show(({ state }) => state[0]?.bytes, formatBytes),
    show(({ tokensPerSecond }) => tokensPerSecond, formatCount),
    show(({ wallMs }) => wallMs / 1000, formatDuration),
  ]
}
