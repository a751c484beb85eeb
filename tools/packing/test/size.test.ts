import { entriesOf, publishedPackages } from '@mixtape-tools/workspace'
import { expect, it } from 'vitest'
import { budgets } from '../src/budgets.ts'
import { bundle } from '../src/bundle.ts'

it.each(budgets)('$name is at most $gzipBytes bytes in gzip', async ({ code, gzipBytes }) => {
  expect((await bundle(code)).gzip).toBeLessThanOrEqual(gzipBytes)
})

it('every browser-facing entry point has a budget', () => {
  const entries = publishedPackages().flatMap(({ manifest }) => entriesOf(manifest))
  const facing = entries.filter(({ nodeOnly }) => !nodeOnly).map(({ specifier }) => specifier)
  expect(budgets.map(({ name }) => name)).toEqual(expect.arrayContaining(facing))
})
