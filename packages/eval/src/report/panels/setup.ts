import { type ComponentChild, h } from 'preact'
import { mixerEntry } from '../../mixers.ts'
import { doneRuns, type ReportContext } from '../context.ts'
import { dataTable } from '../table.ts'

/** All that is needed to repeat the comparison. */
export function setupPanel(context: ReportContext): ComponentChild {
  const { comparison, command, environment, series } = context
  const done = doneRuns(context)
  const rows = comparison.runs.map((run) => {
    const { task, mixer, seed } = run.spec
    const [hash, data, dtype] =
      run.status === 'done' ? [run.result.hash, run.result.data, run.result.dtype] : ['–', '–', '–']
    return [task, mixer, String(seed), run.status, hash, data, dtype]
  })
  const configurations = comparison.tasks.flatMap(({ benchmark }) =>
    series.flatMap(({ mixer, title }) => {
      const run = done.find(({ spec }) => spec.task === benchmark.task && spec.mixer === mixer)
      if (run === undefined) return []
      const { config } = run.result
      return [
        h('details', null, [
          h('summary', null, `${benchmark.id}, ${title}: configuration of seed ${config.seed}`),
          h('pre', null, JSON.stringify(config, null, 2)),
        ]),
      ]
    }),
  )
  return h('section', { id: 'setup' }, [
    h('h2', null, 'To repeat it'),
    h('pre', null, command),
    dataTable('Where it ran', ['what', 'version'], Object.entries(environment)),
    h(
      'p',
      null,
      'All mixers sit in the same pre-norm blocks with a SwiGLU network, each after a residual causal convolution over four tokens. The inner width of the network is chosen so that all models have as many parameters as the one with softmax attention. AdamW, gradient norm clipped at 1, linear warm-up over a tenth of the steps under a cosine. A seed fixes initial weights and the order of data, the same for every mixer.',
    ),
    h(
      'ul',
      null,
      series.map(({ mixer, title }) => h('li', null, `${title}: ${mixerEntry(mixer).settings}.`)),
    ),
    ...configurations,
    h('details', null, [
      h('summary', null, 'Every run'),
      dataTable('Every run', ['task', 'mixer', 'seed', 'status', 'configuration', 'data', 'dtype'], rows),
    ]),
  ])
}
