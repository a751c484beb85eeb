import { readFile, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { RunDirectory, runPath } from '../src/run/directory.ts'
import { mixtape, signalGroup } from './cli-process.ts'
import { scratchFolder } from './scratch.ts'

const scratch = scratchFolder()
const mqar = ['--tasks', 'mqar', '--budget', 'smoke', '--seeds', '1', '--jobs', '2']

function pathOf(out: string, mixer: string): RunDirectory {
  return new RunDirectory(runPath(out, { task: 'mqar', mixer, seed: 1 }))
}

test('Ctrl-C saves every run, the same command goes on and ends with every step once', async () => {
  const out = join(scratch, 'interrupted')
  const command = ['compare', '--mixers', 'attention,window-attention', ...mqar, '--steps', '200', '--out', out]
  let sent = false
  const stopped = await mixtape(command, (stderr, child) => {
    if (sent || !/\battention · seed 1: step/.test(stderr) || !/window-attention · seed 1: step/.test(stderr)) return
    sent = true
    signalGroup(child, 'SIGINT')
  })
  expect(stopped.code).toBe(130)
  expect(stopped.stderr).toContain('stopped, checkpoint saved')
  expect(stopped.stderr).toContain(`To go on: mixtape compare --mixers attention,window-attention`)
  await expect(stat(join(out, 'report.html'))).rejects.toThrow()

  const ended = await mixtape(command)
  expect(ended.stderr).not.toContain('failed')
  expect(ended.code).toBe(0)
  expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('</html>')
  for (const mixer of ['attention', 'window-attention']) {
    const steps = (await pathOf(out, mixer).log()).flatMap(({ kind, step }) => (kind === 'train' ? [step] : []))
    expect(steps).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
  }
})

test('a run that fails is reported with its error, stops no other, and counts in the exit code', async () => {
  const out = join(scratch, 'failing')
  const damaged = pathOf(out, 'attention')
  const train = ['train', '--task', 'mqar', '--mixer', 'attention', '--budget', 'smoke', '--steps', '20']
  expect(await mixtape([...train, '--out', damaged.path])).toMatchObject({ code: 0 })
  await truncate(damaged.checkpoint, 100)
  await rm(join(damaged.path, 'result.json'))

  const compare = ['compare', '--mixers', 'attention,window-attention', ...mqar, '--steps', '20', '--out', out]
  const { code, stdout, stderr } = await mixtape(compare)
  expect(code, stderr).toBe(1)
  expect(stdout).toMatch(/failed: mqar · attention · seed 1: .*checkpoint\.safetensors/)
  expect(stdout).toContain('1 failed: chance')
  expect(stderr).toMatch(/2\/2 /)
  expect(await pathOf(out, 'window-attention').result()).toBeDefined()
  const lines = (await readFile(join(out, 'results.jsonl'), 'utf8')).trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).status).sort()).toEqual(['done', 'failed'])
  expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('counted as chance')
})
