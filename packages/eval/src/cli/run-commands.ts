import { printable } from '../format.ts'
import { evaluateTest } from '../run/evaluate.ts'
import { loadTask } from '../run/loaded-task.ts'
import { hasFixedState } from '../run/measure.ts'
import { continueText, type TextOptions } from '../run/sample.ts'
import { benchmarkOf, loadRun } from '../run/train-run.ts'
import { type Streams, UsageError } from './streams.ts'
import { testLines } from './table.ts'

/** Tests a run's model as its checkpoint holds it. */
export async function evaluateCommand(directory: string, { stdout, stderr }: Streams): Promise<number> {
  const { config, model, step } = await loadRun(directory)
  stderr.write(`${config.task} with ${config.model.mixer}, step ${step} of ${config.training.steps}\n`)
  const loaded = await loadTask(benchmarkOf(config))
  const test = await evaluateTest(model, loaded, { seed: config.seed, fixedState: hasFixedState(model) })
  stdout.write(`${testLines(test)}\n`)
  return 0
}

/** Continues a prompt with a run's model, writing as it goes. */
export async function generateCommand(directory: string, options: TextOptions, { stdout }: Streams): Promise<number> {
  const { config, model } = await loadRun(directory)
  if (config.task !== 'text') throw new UsageError(`${directory} is a run of ${config.task} but must be one of text`)
  stdout.write(options.prompt)
  for await (const piece of continueText(model, options)) stdout.write(printable(piece))
  stdout.write('\n')
  return 0
}
