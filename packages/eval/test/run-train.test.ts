import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RunSpec } from '../src/run/config.ts'
import { RunDirectory } from '../src/run/directory.ts'
import type { RunResult } from '../src/run/result.ts'
import { type TrainRunOptions, trainRun } from '../src/run/train-run.ts'
import { scratchFolder } from './scratch.ts'

const scratch = scratchFolder()
const spec: RunSpec = { task: 'mqar', mixer: 'gla', budget: 'smoke', seed: 1, steps: 9 }

async function finished(run: RunSpec, options: TrainRunOptions): Promise<RunResult> {
  const outcome = await trainRun(run, options)
  if (outcome.status !== 'done') throw new Error('the run was interrupted')
  return outcome.result
}

/** Everything in a result but times. */
function numbersOf({ wallMs: _, tokensPerSecond: __, environment: ___, ...numbers }: RunResult): object {
  return numbers
}

test('a run that is stopped and killed on the way ends as one that is not, to the bit', async () => {
  const whole = join(scratch, 'whole')
  const expected = numbersOf(await finished(spec, { directory: whole }))
  const expectedLog = await new RunDirectory(whole).log()
  expect(expectedLog.filter(({ kind }) => kind === 'train')).toHaveLength(9)

  let runs = 0
  const ends = fc.record({
    stoppedAfter: fc.integer({ min: 1, max: 9 }),
    killedAfter: fc.integer({ min: 1, max: 9 }),
    checkpointEvery: fc.integer({ min: 1, max: 9 }),
  })
  const property = fc.asyncProperty(ends, async ({ stoppedAfter, killedAfter, checkpointEvery }) => {
    const directory = join(scratch, `cut-${runs++}`)
    const stop = new AbortController()
    const stopping = await trainRun(spec, {
      directory,
      checkpointEvery,
      signal: stop.signal,
      onProgress: ({ step }) => step === stoppedAfter && stop.abort(),
    })
    expect(stopping).toEqual({ status: 'interrupted', step: stoppedAfter })
    const killing = trainRun(spec, {
      directory,
      checkpointEvery,
      onProgress: ({ step }) => {
        if (step >= killedAfter) throw new Error('power cut')
      },
    })
    await expect(killing).rejects.toThrow('power cut')
    expect(numbersOf(await finished(spec, { directory, checkpointEvery }))).toEqual(expected)
    expect(await new RunDirectory(directory).log()).toEqual(expectedLog)
  })
  await fc.assert(property, { numRuns: 4 })
})

test('a run on text gives bits per byte cold and, for a fixed state, warm, and a sample', async () => {
  const directory = join(scratch, 'text')
  const result = await finished({ ...spec, task: 'text', steps: 30 }, { directory })
  expect(result.test).toMatchObject({ task: 'text', cold: expect.any(Number), warm: expect.any(Number) })
  const { test: text } = result
  if (text.task !== 'text') throw new Error('not a text result')
  expect(text.cold).toBeGreaterThan(2)
  expect(text.cold).toBeLessThan(5.5)
  expect(Math.abs(text.cold - (text.warm ?? 0))).toBeLessThan(0.2)
  const [first, , last] = result.state
  expect(first.bytes).toBe(last.bytes)
  expect(result.sample?.text.length).toBeGreaterThan(100)
  const losses = (await new RunDirectory(directory).log()).flatMap((record) =>
    record.kind === 'train' ? [record.loss] : [],
  )
  expect(losses.at(-1)).toBeLessThan(losses[0] - 0.1)
  expect((await readdir(directory)).sort()).toEqual([
    'checkpoint.safetensors',
    'config.json',
    'log.jsonl',
    'result.json',
  ])
})

test('softmax attention has a state that grows and is not tested with the state carried', async () => {
  const result = await finished({ ...spec, mixer: 'attention', steps: 1 }, { directory: join(scratch, 'growing') })
  const [first, second] = result.state
  expect(second.bytes).toBeGreaterThan(1.5 * first.bytes)
  expect(result.test).not.toHaveProperty('warm')
})

test('recall is counted by length, gap and pairs, and by each over the same answers', async () => {
  const result = await finished({ ...spec, steps: 1 }, { directory: join(scratch, 'recall') })
  if (result.test.task !== 'mqar') throw new Error('not a recall result')
  const { whole, byGap, byLength, byPairs } = result.test
  expect(byGap.reduce((sum, { total }) => sum + total, 0)).toBe(whole.total)
  expect(byGap.reduce((sum, { correct }) => sum + correct, 0)).toBe(whole.correct)
  expect(byLength.map(({ at }) => at)).toEqual([8, 16, 24, 30])
  expect(byPairs.map(({ at }) => at)).toEqual([1, 2, 4])
  expect(byLength.find(({ at }) => at === 16)).toEqual({ at: 16, ...whole })
})

test('a directory with another configuration is refused, and begun anew with fresh', async () => {
  const directory = join(scratch, 'mismatch')
  const first = await finished({ ...spec, steps: 2 }, { directory })
  const other = { ...spec, steps: 2, seed: 2 }
  await expect(trainRun(other, { directory })).rejects.toThrow(/holds a run with configuration .* give --fresh/)
  expect(await new RunDirectory(directory).result()).toEqual(first)
  expect((await finished(other, { directory, fresh: true })).config.seed).toBe(2)
})

test('a run that is done is not repeated', async () => {
  const directory = join(scratch, 'done')
  const first = await finished({ ...spec, steps: 2 }, { directory })
  expect(await finished({ ...spec, steps: 2 }, { directory })).toEqual(first)
})

test('a damaged checkpoint is an error that names the file, not a new beginning', async () => {
  const directory = join(scratch, 'damaged')
  const stop = new AbortController()
  await trainRun(spec, { directory, signal: stop.signal, onProgress: () => stop.abort() })
  const path = join(directory, 'checkpoint.safetensors')
  await writeFile(path, (await readFile(path)).subarray(0, 1000))
  await expect(trainRun(spec, { directory })).rejects.toThrow(path)
})
