import { type Generator, randomGenerator } from '@mixtape/autodiff'
import type { Split } from './task.ts'

/** Random stream of one batch: seeded by task, split, run seed and batch index, so that none of them share numbers. */
export function batchStream(task: string, split: Split, seed: number, index: number): Generator {
  return randomGenerator(`${task}/${split}/${seed}/${index}`)
}
