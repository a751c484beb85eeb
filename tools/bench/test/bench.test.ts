import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reference } from '@mixtape/autodiff'
import { repository, runCommand } from '@mixtape-tools/workspace'
import { expect, it } from 'vitest'
import { suite } from '../src/cases/index.ts'
import { measureGroup } from '../src/measure.ts'
import { quantile } from '../src/statistics.ts'

it('a quick run measures every group and writes what it measured', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mixtape-bench-'))
  try {
    const json = join(folder, 'bench.json')
    const main = join(repository, 'tools', 'bench', 'src', 'main.ts')
    const args = ['--conditions=mixtape-source', main, '--quick', '--json', json]
    const { code, output } = await runCommand(process.execPath, args, { cwd: repository })
    expect(output).toContain('GFLOP/s')
    expect(code).toBe(0)
    const { groups } = JSON.parse(await readFile(json, 'utf8'))
    const measured = groups.map(({ name }: { name: string }) => name)
    expect(measured).toEqual(suite({ quick: true }).map(({ name }) => name))
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('cases take turns, in alternating order, and the baseline is as fast as itself', async () => {
  const runs: string[] = []
  const of = (name: string) => ({
    name,
    executor: reference,
    work: { unit: 'FLOP' as const, amount: 1 },
    setup: () => () => {
      runs.push(name)
      for (const end = performance.now() + 2; performance.now() < end; );
    },
  })
  const group = { name: 'group', baseline: 'b', cases: [of('a'), of('b')] }
  const { cases } = await measureGroup(group, { rounds: 3, sampleMilliseconds: 0 })
  expect(runs.slice(-6).join('')).toBe('abbaab')
  expect(cases.map(({ name }) => name)).toEqual(['a', 'b'])
  expect(cases[1].speedup).toBe(1)
})

it('a group without its baseline is refused', async () => {
  const group = { name: 'group', baseline: 'gone', cases: [] }
  await expect(measureGroup(group, { rounds: 1, sampleMilliseconds: 0 })).rejects.toThrow('baseline gone')
})

it('quantiles interpolate and do not depend on order', () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5)
  expect(quantile([4, 1, 3, 2], 1)).toBe(4)
  expect(quantile([7], 0.25)).toBe(7)
})
