import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { verify } from '../src/verify.ts'

const folder = new URL('../../../packages/mixer-gla/test/golden/', import.meta.url)

describe('golden vectors of mixer-gla', () => {
  for (const file of readdirSync(folder)) {
    it(`${file} is met in every form, on every executor and dtype`, async () => {
      const result = await verify(fileURLToPath(new URL(file, folder)))
      const verdicts = 'verdicts' in result ? result.verdicts : []
      expect(verdicts.length).toBeGreaterThanOrEqual(9)
      expect(verdicts.filter(({ pass }) => !pass)).toEqual([])
    })
  }
})
