import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { main } from '../src/cli/program.ts'
import { progressView } from '../src/cli/progress.ts'
import { scratchFolder } from './scratch.ts'

const scratch = scratchFolder()

/** Runs the command line in this process, into pipes. */
async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' }
  const pipe = (name: 'stdout' | 'stderr') =>
    new PassThrough().on('data', (chunk) => {
      written[name] += chunk
    })
  const code = await main(args, { stdout: pipe('stdout'), stderr: pipe('stderr') })
  return { code, ...written }
}

const wrong: readonly (readonly [readonly string[], RegExp])[] = [
  [[], /Usage: mixtape/],
  [['fly'], /unknown command 'fly'/],
  [['train', '--mixer', 'gla'], /required option '--task <name>'/],
  [['train', '--task', 'text', '--mixer', 'mamba9'], /Allowed choices are gla, attention/],
  [['train', '--task', 'text', '--mixer', 'gla', '--steps', '1.5'], /must be a positive integer/],
  [['train', '--task', 'text', '--mixer', 'gla', '--seed', '-1'], /must be an integer of at least 0/],
  [['train', '--task', 'text', '--mixer', 'gla', '--learning-rate', 'fast'], /must be a number greater than 0/],
  [['train', '--task', 'text', '--mixer', 'gla', '--budget', 'huge'], /Allowed choices are smoke, small, paper, start/],
  [['compare', '--mixers', 'gla,mamba9'], /mamba9 is not one of gla, attention/],
  [['compare', '--seeds', '0'], /must be a positive integer/],
  [['compare', '--executor', 'abacus'], /Allowed choices are wasm, reference/],
  [['generate'], /missing required argument 'run dir'/],
  [['generate', 'somewhere', '--top-p', '0'], /must be a number in \(0, 1\]/],
  [['generate', 'somewhere', '--prompt', ''], /--prompt is empty/],
  [['eval', join('no', 'such', 'run')], /is no run directory/],
]

test.each(wrong)('%j is refused with exit code 2', async (args, message) => {
  const { code, stderr } = await run(...args)
  expect(stderr).toMatch(message)
  expect(code).toBe(2)
})

test('help shows every option with its default', async () => {
  const { code, stdout } = await run('compare', '--help')
  expect(code).toBe(0)
  expect(stdout.replace(/\s+/g, ' ')).toMatch(
    /--mixers <list> .*default: gla,attention.*--budget <name> .*default: "small"/,
  )
})

test('a level far beyond its budget is refused before any training, unless forced', async () => {
  const out = join(scratch, 'long')
  const { code, stderr } = await run(
    'train',
    '--task',
    'mqar',
    '--mixer',
    'gla',
    '--budget',
    'smoke',
    '--steps',
    '1000000',
    '--out',
    out,
  )
  expect(code).toBe(2)
  expect(stderr).toMatch(/are more than 5 times .* give --force/)
})

test('train, eval and generate work on one run; another configuration in its directory is refused', async () => {
  const out = join(scratch, 'run')
  const train = ['train', '--task', 'text', '--mixer', 'gla', '--budget', 'smoke', '--steps', '3', '--out', out]
  const trained = await run(...train)
  expect(trained.code, trained.stderr).toBe(0)
  expect(trained.stderr).toMatch(/text with gla \(smoke\): 1 run of 3 steps, .* FLOP, about/)

  const evaluated = await run('eval', out)
  expect(evaluated.code, evaluated.stderr).toBe(0)
  expect(trained.stdout).toContain(evaluated.stdout)

  const draw = (seed: string) => run('generate', out, '--prompt', 'Whale', '--tokens', '20', '--seed', seed)
  const [first, again, other] = [await draw('1'), await draw('1'), await draw('2')]
  expect(first.code, first.stderr).toBe(0)
  expect(first.stdout).toMatch(/^Whale/)
  expect(again.stdout).toBe(first.stdout)
  expect(other.stdout).not.toBe(first.stdout)

  const refused = await run(...train, '--seed', '2')
  expect(refused.code).toBe(2)
  expect(refused.stderr).toMatch(/holds a run with configuration/)
})

test('progress in a pipe is plain lines, at most one per tenth of a run', () => {
  let written = ''
  const stream = new PassThrough().on('data', (chunk) => {
    written += chunk
  })
  const view = progressView(stream, 1)
  const spec = { task: 'text', mixer: 'gla', budget: 'smoke', seed: 1 } as const
  for (let step = 1; step <= 200; step++) view.update(spec, { phase: 'training', step, steps: 200, loss: 1 })
  for (let i = 0; i < 50; i++) view.update(spec, { phase: 'testing', step: 200, steps: 200 })
  view.end(spec, 'done')
  view.close()
  const lines = written.trimEnd().split('\n')
  expect(lines.length).toBeGreaterThan(10)
  expect(lines.length).toBeLessThanOrEqual(14)
  expect(lines.at(-1)).toBe('1/1 text · gla · seed 1: done')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(written).not.toMatch(/[\x00-\x09\x0b-\x1f]/)
})
