import type { Baseline } from '../baselines/baseline.ts'
import { mqarBaselines } from '../baselines/mqar.ts'
import { textBaselines } from '../baselines/text.ts'
import type { LoadedTask } from './loaded-task.ts'

/** Highest order of the n-grams: at 4 they are best on this text, at 5 worse again. */
const ORDER = 5

/** Numbers to hold a model's score against, chance first. */
export function taskBaselines(loaded: LoadedTask, seed: number): readonly Baseline[] {
  if (loaded.name === 'mqar') return mqarBaselines(loaded.config, seed)
  return [{ id: 'uniform', value: 8 }, ...textBaselines(loaded.corpus, ORDER)]
}
