import { availableParallelism } from 'node:os'
import { InvalidArgumentError, Option } from 'commander'
import { type ExecutorName, executors } from '../executors.ts'
import { mixers } from '../mixers.ts'
import { type BudgetName, budgetNames, type TaskName, taskNames } from '../run/benchmark.ts'

/** Options that `train` and `compare` share. */
export interface RunOptions {
  readonly budget: BudgetName
  readonly executor: ExecutorName
  readonly steps?: number
  readonly learningRate?: number
  readonly checkpointEvery?: number
  readonly fresh: boolean
  readonly force: boolean
}

export function runOptions(): readonly Option[] {
  return [
    new Option('--budget <name>', 'size of models, data and training').choices(budgetNames).default('small'),
    new Option('--executor <name>', 'what computes').choices(Object.keys(executors)).default('wasm'),
    new Option('--steps <n>', "training steps (default: the budget's)").argParser(positiveInteger),
    new Option('--learning-rate <x>', "peak learning rate (default: the budget's)").argParser(positiveNumber),
    new Option(
      '--checkpoint-every <n>',
      'steps between checkpoints (default: a tenth of the run, at most 500)',
    ).argParser(positiveInteger),
    freshOption(),
    new Option('--force', 'run even when it would exceed five times its budget').default(false),
  ]
}

export function freshOption(): Option {
  return new Option('--fresh', 'throw away what the directory holds instead of going on from there').default(false)
}

export function mixerOption(): Option {
  return new Option('--mixer <name>', 'sequence mixer').choices(Object.keys(mixers)).makeOptionMandatory()
}

export function taskOption(): Option {
  return new Option('--task <name>', 'task').choices(taskNames).makeOptionMandatory()
}

export function mixersOption(fallback: readonly string[]): Option {
  return new Option('--mixers <list>', `sequence mixers, with commas between: ${Object.keys(mixers).join(', ')}`)
    .argParser(listOf(Object.keys(mixers)))
    .default(fallback, fallback.join(','))
}

export function tasksOption(fallback: readonly TaskName[]): Option {
  return new Option('--tasks <list>', `tasks, with commas between: ${taskNames.join(', ')}`)
    .argParser(listOf(taskNames))
    .default(fallback, fallback.join(','))
}

export function jobsOption(): Option {
  return new Option('--jobs <n>', 'runs at the same time')
    .argParser(positiveInteger)
    .default(availableParallelism(), 'as many as cores')
}

export function positiveInteger(text: string): number {
  return numberThat(text, 'a positive integer', (value) => Number.isInteger(value) && value > 0)
}

export function naturalNumber(text: string): number {
  return numberThat(text, 'an integer of at least 0', (value) => Number.isInteger(value) && value >= 0)
}

function positiveNumber(text: string): number {
  return numberThat(text, 'a number greater than 0', (value) => value > 0)
}

export function temperature(text: string): number {
  return numberThat(text, 'a number of at least 0', (value) => value >= 0)
}

export function probability(text: string): number {
  return numberThat(text, 'a number in (0, 1]', (value) => value > 0 && value <= 1)
}

function numberThat(text: string, wanted: string, holds: (value: number) => boolean): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && holds(value)) return value
  throw new InvalidArgumentError(`It must be ${wanted}.`)
}

function listOf<T extends string>(known: readonly T[]): (text: string) => readonly T[] {
  return (text) =>
    [...new Set(text.split(','))].map((name) => {
      const found = known.find((candidate) => candidate === name.trim())
      if (found === undefined) throw new InvalidArgumentError(`${name} is not one of ${known.join(', ')}.`)
      return found
    })
}
