import { budgets } from '../tasks/budget.ts'
import type { ByteLanguageModelConfig } from '../tasks/byte-language-model.ts'
import type { MqarConfig } from '../tasks/mqar.ts'
import { byteLanguageModelPresets, mqarPresets } from '../tasks/presets.ts'
import type { Level, Preset } from '../tasks/task.ts'

export type TaskName = 'text' | 'mqar'

/** A level of the suite, or `start`: what `npm start` runs. */
export type BudgetName = Level | 'start'

export const taskNames: readonly TaskName[] = ['text', 'mqar']
export const budgetNames: readonly BudgetName[] = ['smoke', 'small', 'paper', 'start']

/** One task at one budget, with the size of the models and of their training. */
export type Benchmark = Sizes &
  (
    | { readonly task: 'text'; readonly config: ByteLanguageModelConfig }
    | { readonly task: 'mqar'; readonly config: MqarConfig }
  )

type Sizes = Pick<Preset<unknown>, 'id' | 'model' | 'training'> & { readonly budget: BudgetName }

/** The sizes of `npm start`, chosen to train visibly within 100 s on two cores. */
const startPresets = {
  text: {
    id: 'bytes-start',
    task: { length: 128, batchSize: 16 },
    model: { width: 64, layers: 2, heads: 2 },
    training: { steps: 200, learningRates: [5e-3], weightDecay: 0.01 },
  },
  mqar: {
    id: 'mqar-start',
    task: { vocabulary: 64, length: 32, pairs: 4, batchSize: 32, evaluationSequences: 512 },
    model: { width: 32, layers: 2, heads: 1 },
    training: { steps: 400, learningRates: [5e-3], weightDecay: 0.1 },
  },
} as const

/** What a run may cost: FLOP of training, and seconds on two cores. */
export interface Limit {
  readonly flop: number
  readonly seconds: number
}

/** Evaluation spec §1.1. A run beyond five times its limit is refused unless forced. */
export const limits: Readonly<Record<BudgetName, Limit>> = {
  smoke: { flop: budgets.smoke.most, seconds: 20 },
  small: { flop: budgets.small.most, seconds: 180 },
  paper: { flop: budgets.paper.most, seconds: Number.POSITIVE_INFINITY },
  start: { flop: budgets.small.most, seconds: 60 },
}

/** The benchmark of a task at a budget: of several presets, the first. */
export function benchmark(task: TaskName, budget: BudgetName): Benchmark {
  if (task === 'text')
    return { task, budget, ...sizesOf(presetOf(byteLanguageModelPresets, budget, startPresets.text)) }
  return { task, budget, ...sizesOf(presetOf(mqarPresets, budget, startPresets.mqar)) }
}

type Sized<Config> = Omit<Preset<Config>, 'level'>

function presetOf<Config>(presets: readonly Preset<Config>[], budget: BudgetName, start: Sized<Config>): Sized<Config> {
  const preset = budget === 'start' ? start : presets.find(({ level }) => level === budget)
  if (preset === undefined) throw new Error(`benchmark: there is no preset at level ${budget}`)
  return preset
}

function sizesOf<Config>({
  id,
  task,
  model,
  training,
}: Sized<Config>): Omit<Sized<Config>, 'task'> & { config: Config } {
  return { id, model, training, config: task }
}
