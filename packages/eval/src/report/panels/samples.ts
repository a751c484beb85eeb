import { type ComponentChild, h } from 'preact'
import { printable } from '../../format.ts'
import { doneRuns, type ReportContext } from '../context.ts'

/** What the language models write. */
export function samplesPanel(context: ReportContext): ComponentChild {
  const samples = context.series.flatMap(({ mixer, title }) => {
    const run = doneRuns(context).find(({ spec, result }) => spec.mixer === mixer && result.sample !== undefined)
    const sample = run?.result.sample
    return run === undefined || sample === undefined ? [] : [{ title, seed: run.spec.seed, sample }]
  })
  if (samples.length === 0) return undefined
  return h('section', { id: 'samples' }, [
    h('h2', null, 'What they write'),
    h('p', null, 'Sampled byte by byte at temperature 0.8; grey: the prompt. One seed, not chosen.'),
    ...samples.flatMap(({ title, seed, sample }) => [
      h('h3', null, `${title}, seed ${seed}`),
      h('pre', { class: 'sample' }, [h('b', null, printable(sample.prompt)), printable(sample.text)]),
    ]),
  ])
}
