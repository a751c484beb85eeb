import { type ComponentChild, h } from 'preact'
import { doneRuns, type ReportContext } from '../context.ts'

/** The closest a spread of parameter counts may be called equal. */
const EQUAL = 0.05

/** What nobody should conclude from the report. */
export function limitsPanel(context: ReportContext): ComponentChild {
  const { seeds, budget } = context.comparison.spec
  const statements = [
    `Small models on a small budget (${budget}): the order of mixers here is not their order at scale. At such budgets no model beats a good n-gram on text.`,
    ...(seeds < 3
      ? [
          `With ${seeds === 1 ? 'one seed' : `${seeds} seeds`} a difference can be luck; three are the least to tell, five are better.`,
        ]
      : []),
    parameterStatement(context),
    'Recall is compared at equal parameters, not at equal state size: read it together with the state panel.',
    'Learning rates are those of the budget, the same for all; a mixer may do better with its own.',
    'Speed is that of this executor on this machine, one sequence at a time. It says nothing about a GPU.',
    'One English novel and one synthetic recall task. Neither says what a mixer does on other data.',
  ]
  return h('section', { id: 'limits' }, [
    h('h2', null, 'What this cannot show'),
    h(
      'ul',
      null,
      statements.map((statement) => h('li', null, statement)),
    ),
  ])
}

function parameterStatement(context: ReportContext): string {
  const spreads = context.comparison.tasks.map(({ benchmark }) => {
    const counts = doneRuns(context)
      .filter(({ spec }) => spec.task === benchmark.task)
      .map(({ result }) => result.parameters)
    return counts.length === 0 ? 0 : Math.max(...counts) / Math.min(...counts) - 1
  })
  const spread = Math.max(0, ...spreads)
  const shown = `${(100 * spread).toFixed(1)} %`
  return spread <= EQUAL
    ? `Models are matched in parameters (they differ by at most ${shown}), which says nothing about equal time or equal memory.`
    : `Models are not matched in parameters: they differ by up to ${shown}.`
}
