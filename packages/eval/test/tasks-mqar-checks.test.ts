import { reference, useExecutor } from '@mixtape/autodiff'
import { wasm } from '@mixtape/autodiff/wasm'
import { describe, expect, it } from 'vitest'
import { exactCheck } from '../src/tasks/exact-check.ts'
import { mqarChecks } from '../src/tasks/mqar-checks.ts'

describe('plain linear attention, on', () => {
  for (const [name, executor] of Object.entries({ reference, wasm })) {
    it(`${name}, reads old + new value and has the error (n − 1)/K, whatever the seed`, async () => {
      await useExecutor(executor())
      for (let seed = 0; seed < 3; seed++) {
        const checks = await mqarChecks(seed)
        expect(checks.map(({ id }) => id)).toEqual(['mqar/linear-attention-sums', 'mqar/recall-capacity'])
        for (const check of checks) expect(check).toMatchObject({ pass: true })
        expect(checks[1]).toMatchObject({ want: 31 / 16 })
      }
    })
  }
})

describe('a check', () => {
  it('passes up to its tolerance and not beyond', () => {
    expect(exactCheck('a', 1.25, 1, 0.25).pass).toBe(true)
    expect(exactCheck('a', 0.75, 1, 0.25).pass).toBe(true)
    expect(exactCheck('a', 1.2501, 1, 0.25).pass).toBe(false)
  })

  it('fails on what is not a number', () => {
    expect(exactCheck('a', Number.NaN, 0, 1).pass).toBe(false)
    expect(exactCheck('a', Number.POSITIVE_INFINITY, 0, 1).pass).toBe(false)
  })
})
