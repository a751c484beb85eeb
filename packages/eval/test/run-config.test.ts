import { reference, useExecutor } from '@mixtape/autodiff'
import { countParameters } from '@mixtape/nn'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { mixers } from '../src/mixers.ts'
import { type BudgetName, taskNames } from '../src/run/benchmark.ts'
import { comparisonRuns } from '../src/run/compare.ts'
import { hashConfig, resolveRun } from '../src/run/config.ts'
import { hashOf } from '../src/run/json.ts'
import { comparedModel } from '../src/run/model.ts'

beforeAll(async () => {
  await useExecutor(reference())
})

const sizes: readonly BudgetName[] = ['smoke', 'small', 'start']

test('models of all mixers have the same number of parameters within 5 %', () => {
  for (const task of taskNames) {
    for (const budget of sizes) {
      const counts = Object.keys(mixers).map((mixer) =>
        countParameters(comparedModel(resolveRun({ task, mixer, budget, seed: 0 }).model, 0)),
      )
      expect(Math.max(...counts) / Math.min(...counts), `${task} ${budget}: ${counts}`).toBeLessThan(1.05)
    }
  }
})

test('the hash of a configuration changes with everything a user can set', () => {
  const spec = { task: 'text', mixer: 'gla', budget: 'smoke', seed: 1 } as const
  const specs = [
    spec,
    { ...spec, task: 'mqar' },
    { ...spec, mixer: 'attention' },
    { ...spec, budget: 'small' },
    { ...spec, seed: 2 },
    { ...spec, steps: 31 },
    { ...spec, learningRate: 1e-3 },
    { ...spec, executor: 'reference' },
  ] as const
  expect(new Set(specs.map((one) => hashConfig(resolveRun(one)))).size).toBe(specs.length)
})

test('a hash depends on the values, not on the order of keys', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse())
      expect(hashOf(reversed)).toBe(hashOf(value))
    }),
  )
})

test('bad specifications are refused by name', () => {
  const spec = { task: 'text', mixer: 'gla', budget: 'smoke', seed: 1 } as const
  expect(() => resolveRun({ ...spec, mixer: 'mamba9' })).toThrow(/mixer is mamba9 but must be one of gla, attention/)
  expect(() => resolveRun({ ...spec, steps: 0 })).toThrow(/steps is 0/)
  expect(() => resolveRun({ ...spec, learningRate: Number.NaN })).toThrow(/learningRate is NaN/)
})

test('a comparison has every task, mixer and seed once', () => {
  const runs = comparisonRuns({ tasks: ['text', 'mqar'], mixers: ['gla', 'attention'], budget: 'smoke', seeds: 3 })
  expect(new Set(runs.map(({ task, mixer, seed }) => `${task}/${mixer}/${seed}`)).size).toBe(12)
  expect(runs).toHaveLength(12)
})
