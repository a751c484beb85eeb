import type { BenchmarkGroup, SuiteOptions } from '../case.ts'
import { glaGroups } from './gla.ts'
import { elementwiseGroups, matmulGroups } from './ops.ts'
import { trainingGroups } from './training.ts'

/** Everything that is measured, in the order of the report. */
export function suite(options: SuiteOptions): readonly BenchmarkGroup[] {
  return [matmulGroups, elementwiseGroups, glaGroups, trainingGroups].flatMap((groups) => groups(options))
}
