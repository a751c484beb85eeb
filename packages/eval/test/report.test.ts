import fc from 'fast-check'
import { parseHTML } from 'linkedom'
import { expect, test } from 'vitest'
import { reportHtml } from '../src/report/html.ts'
import { benchmark } from '../src/run/benchmark.ts'
import type { Comparison, RunRecord } from '../src/run/compare.ts'
import type { RunConfig } from '../src/run/config.ts'
import type { LogRecord } from '../src/run/directory.ts'
import type { TestResult } from '../src/run/evaluate.ts'

const environment = { mixtape: '1.2.3', node: 'v24', platform: 'test', cpu: '2 × test' }
const meta = { command: 'mixtape compare', made: new Date(0), environment }

const log: readonly LogRecord[] = Array.from({ length: 30 }, (_, i) => ({
  kind: 'train',
  step: i + 1,
  loss: 4 - i / 10,
  gradientNorm: 1,
  learningRate: 1e-3,
}))

const results: Readonly<Record<'text' | 'mqar', TestResult>> = {
  text: { task: 'text', cold: 2.5, warm: 2.4 },
  mqar: {
    task: 'mqar',
    whole: { correct: 90, total: 100 },
    byGap: [
      { at: 2, correct: 50, total: 50 },
      { at: 4, correct: 40, total: 50 },
    ],
    byLength: [
      { at: 8, correct: 95, total: 100 },
      { at: 16, correct: 90, total: 100 },
    ],
    byPairs: [{ at: 2, correct: 90, total: 100 }],
  },
}

function doneRun(task: 'text' | 'mqar', mixer: string, seed: number, sample: string): RunRecord {
  const { id, config: data, model, training } = benchmark(task, 'smoke')
  const config: RunConfig = {
    version: '1.2.3',
    benchmark: id,
    task,
    budget: 'smoke',
    data: { ...data },
    model: { ...model, vocabulary: 256, mixer, innerWidth: 64 },
    training: { steps: training.steps, learningRate: 1e-3, weightDecay: 0 },
    seed,
    executor: 'wasm',
  }
  return {
    spec: { task, mixer, budget: 'smoke', seed },
    directory: `runs/${task}/${mixer}/${seed}`,
    status: 'done',
    log,
    result: {
      config,
      hash: 'abc',
      test: results[task],
      validation: 1,
      parameters: 1000,
      state: [
        { length: 32, bytes: 1024 },
        { length: 64, bytes: 2048 },
      ],
      flop: 1e9,
      wallMs: 1000,
      tokensPerSecond: 1000,
      dtype: 'float32',
      data: 'generated',
      environment,
      ...(task === 'text' ? { sample: { prompt: sample, text: sample } } : {}),
    },
  }
}

function comparison(hostile: string): Comparison {
  const mixers = ['gla', 'attention']
  return {
    spec: { mixers, tasks: ['text', 'mqar'], budget: 'smoke', seeds: 2 },
    tasks: [
      {
        benchmark: benchmark('text', 'smoke'),
        baselines: [
          { id: 'uniform', value: 8 },
          { id: hostile, value: 2 },
        ],
      },
      {
        benchmark: benchmark('mqar', 'smoke'),
        baselines: [
          { id: 'uniform', value: 1 / 16 },
          { id: 'any value seen', value: 0.5 },
          { id: 'oracle', value: 1 },
        ],
      },
    ],
    runs: [
      doneRun('text', 'gla', 1, hostile),
      doneRun('text', 'gla', 2, hostile),
      doneRun('text', 'attention', 1, hostile),
      {
        spec: { task: 'text', mixer: 'attention', budget: 'smoke', seed: 2 },
        directory: 'runs/x',
        status: 'failed',
        message: hostile,
        log: log.slice(0, 7),
      },
      doneRun('mqar', 'gla', 1, ''),
      doneRun('mqar', 'attention', 1, ''),
    ],
    throughput: mixers.map((mixer) => ({
      mixer,
      curve: [64, 128, 256].map((length) => ({ length, forward: 1000, decode: 100 })),
    })),
    interrupted: false,
  }
}

const plain = reportHtml(comparison('plain'), meta)

test('the report has every panel, and each plot a title and a description', () => {
  const { document } = parseHTML(plain)
  const ids = [...document.querySelectorAll('section')].map(({ id }) => id)
  expect(ids).toEqual(['overview', 'loss', 'text', 'recall', 'state', 'speed', 'samples', 'setup', 'limits'])
  const plots = [...document.querySelectorAll('.plot svg')]
  expect(plots).toHaveLength(9)
  for (const plot of plots) {
    expect(plot.getAttribute('role')).toBe('img')
    expect(plot.querySelector('title')?.textContent).toBeTruthy()
    expect(plot.querySelector('desc')?.textContent).toMatch(/\d/)
  }
  for (const table of document.querySelectorAll('table'))
    expect(table.querySelector('caption')?.textContent).toBeTruthy()
})

test('the report loads nothing and runs nothing', () => {
  const { document } = parseHTML(plain)
  expect(document.querySelectorAll('script, link, img, iframe, object, embed, base, form')).toHaveLength(0)
  expect(plain.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(
    /https?:|\burl\(|@import|\bsrc=|\bhref=|\bon[a-z]+=/i,
  )
})

test('marked-up text from models, runs and baselines stays text', () => {
  const pieces = fc.constantFrom(
    '<script>alert(1)</script>',
    '</style><script>',
    '</svg><img src=x onerror=alert(1)>',
    '</pre>',
    '"><b>',
    "' onload='x",
    '&lt;',
    '&',
    ']]>',
    '<!--',
    '\u0000\u001b[31m',
    '\ud800',
  )
  const shape = (html: string) => {
    const { document } = parseHTML(html)
    const elements = [...document.querySelectorAll('*')]
    return elements.map(
      (element) => `${element.localName}${[...element.attributes].map(({ name }) => ` ${name}`).join('')}`,
    )
  }
  const expected = shape(plain)
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string()), { minLength: 1, maxLength: 4 }), (parts) => {
      const hostile = parts.join('')
      const html = reportHtml(comparison(hostile), { ...meta, command: hostile })
      expect(shape(html)).toEqual(expected)
      expect(html).not.toMatch(/<script|<img|<iframe/i)
      const { document } = parseHTML(html)
      expect(document.querySelector('#setup pre')?.textContent).toBe(hostile)
    }),
    { numRuns: 25 },
  )
})

test('a failed run is named with its error and counts as chance in the median', () => {
  const { document } = parseHTML(reportHtml(comparison('it blew up'), meta))
  expect(document.querySelector('.failure')?.textContent).toBe('text, attention, seed 2: it blew up')
  const cell = document.querySelector('.matrix td.failed')
  expect(cell?.textContent).toBe('5.250 1 of 2 failed: counted as chance')
})

test('a comparison in which everything failed still has a report', () => {
  const { runs, ...rest } = comparison('x')
  const failed = runs.map(
    ({ spec, directory }) => ({ spec, directory, status: 'failed', message: 'no', log: [] }) as const,
  )
  const html = reportHtml({ ...rest, runs: failed, throughput: [] }, meta)
  expect(parseHTML(html).document.querySelectorAll('.failure')).toHaveLength(6)
})
