import { type Executor, randomGenerator, reference, tensor, useExecutor } from '@mixtape/autodiff'
import { wasm } from '@mixtape/autodiff/wasm'
import {
  adamW,
  attention,
  constantRate,
  type LanguageModel,
  languageModel,
  type Optimizer,
  sgd,
  type TokenBatch,
  type TrainOptions,
  type TrainStep,
  train,
  warmupCosine,
} from '@mixtape/nn'
import { beforeEach, describe, expect, it } from 'vitest'
import { convolution, counting, liveBytes, readAll } from './support.ts'

const vocabulary = 8

function tiny(): LanguageModel {
  return languageModel({ vocabulary, width: 8, layers: [convolution()], innerWidth: 8 })
}

function batches(): (step: number) => TokenBatch {
  const generator = randomGenerator('batches')
  return (step) => counting(generator.split(step), vocabulary, 2, 6)
}

/** No target counts, so that the loss is 0 / 0. */
function nothingCounts(step: number): TokenBatch {
  const { ids } = batches()(step)
  return { ids, targets: tensor(new Int32Array(ids.size).fill(-100), { shape: ids.shape }) }
}

async function allOf(run: AsyncIterable<TrainStep>): Promise<TrainStep[]> {
  const reports: TrainStep[] = []
  for await (const report of run) reports.push(report)
  return reports
}

const executors: Record<string, () => Promise<Executor>> = { reference: async () => reference(), wasm }

describe.each(Object.entries(executors))('training on %s', (_, executor) => {
  beforeEach(async () => {
    await useExecutor(executor())
  })

  it('learns to count', async () => {
    const model = languageModel({ vocabulary, width: 16, layers: [attention({ heads: 2 }), convolution()] })
    const schedule = warmupCosine({ peak: 0.02, steps: 60 })
    const reports = await allOf(train(model, batches(), { steps: 60, schedule }))
    expect(reports.map(({ step }) => step)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
    expect(reports[0].loss).toBeCloseTo(Math.log(vocabulary), 1)
    expect(reports[59].loss).toBeLessThan(0.1)
    expect(reports.map(({ learningRate }) => learningRate)).toEqual(reports.map((_, step) => schedule(step)))
  })

  it('gives the same run twice', async () => {
    const [one, other] = [tiny(), tiny()]
    const reports = await allOf(train(one, batches(), { steps: 5 }))
    expect(await allOf(train(other, batches(), { steps: 5 }))).toEqual(reports)
    expect(await readAll(other)).toEqual(await readAll(one))
  })

  it('holds constant memory, step after step', async () => {
    const model = tiny()
    const seen = new Set<number>()
    for await (const _ of train(model, batches(), { steps: 20 })) seen.add(liveBytes())
    expect(seen.size).toBe(1)
  })
})

describe('training', () => {
  beforeEach(async () => {
    await useExecutor(wasm())
  })

  it('holds constant memory over 2000 steps', async () => {
    const model = tiny()
    const optimizer = adamW(model.parameters())
    const before = liveBytes()
    const seen = new Set<number>()
    for await (const _ of train(model, batches(), { steps: 2000, optimizer })) seen.add(liveBytes())
    expect([...seen]).toEqual([before])
  })

  it('goes on from a step with the batches and the rates of that step', async () => {
    const [whole, halves] = [tiny(), tiny()]
    const options = { steps: 6, schedule: warmupCosine({ peak: 0.01, steps: 6 }) }
    const reports = await allOf(train(whole, batches(), options))
    const optimizer = adamW(halves.parameters())
    const first: TrainStep[] = []
    for await (const report of train(halves, batches(), { ...options, optimizer })) {
      first.push(report)
      if (report.step === 3) break
    }
    const rest = await allOf(train(halves, batches(), { ...options, optimizer, from: 3 }))
    expect([...first, ...rest]).toEqual(reports)
    expect(await readAll(halves)).toEqual(await readAll(whole))
  })

  it('leaves parameters, optimiser and memory as they were when the loss is not finite', async () => {
    const model = tiny()
    const optimizer = adamW(model.parameters())
    const before = liveBytes()
    const run = train(model, (step) => (step < 3 ? batches()(step) : nothingCounts(step)), { steps: 10, optimizer })
    for (let step = 0; step < 3; step++) await run.next()
    const weights = await readAll(model)
    await expect(run.next()).rejects.toThrow(/^train: step 4 has loss NaN and gradient norm NaN/)
    expect(await readAll(model)).toEqual(weights)
    expect(optimizer.state().steps).toBe(3)
    expect(liveBytes()).toBe(before)
    expect((await run.next()).done).toBe(true)
  })

  it('holds nothing when the consumer leaves, throws, or a batch, the schedule or the optimiser does', async () => {
    const model = tiny()
    const own = adamW(model.parameters())
    const before = liveBytes()
    const fail = (): never => {
      throw new Error('told to')
    }
    for await (const { step } of train(model, batches(), { steps: 9, optimizer: own })) if (step === 2) break
    expect(liveBytes()).toBe(before)
    const failing: [(step: number) => TokenBatch, Partial<TrainOptions>, () => void][] = [
      [batches(), {}, fail],
      [(step) => (step === 1 ? fail() : batches()(step)), {}, () => {}],
      [batches(), { schedule: fail }, () => {}],
      [batches(), { optimizer: { ...own, step: fail } satisfies Optimizer }, () => {}],
    ]
    for (const [batch, options, consume] of failing) {
      const run = async () => {
        for await (const _ of train(model, batch, { steps: 3, optimizer: own, ...options })) consume()
      }
      await expect(run()).rejects.toThrow('told to')
      expect(liveBytes()).toBe(before)
    }
  })

  it('stops with the parameters of the last reported step', async () => {
    const [left, counted] = [tiny(), tiny()]
    for await (const { step } of train(left, batches(), { steps: 9 })) if (step === 4) break
    const schedule = warmupCosine({ peak: 3e-3, steps: 9 })
    await allOf(train(counted, batches(), { steps: 4, schedule }))
    expect(await readAll(left)).toEqual(await readAll(counted))
  })

  it('clips the joint norm and reports it as it was before', async () => {
    const [clipped, free] = [tiny(), tiny()]
    const options = (model: LanguageModel, clip: number) => ({
      steps: 1,
      clip,
      schedule: constantRate(1),
      optimizer: sgd(model.parameters()),
    })
    const start = await readAll(free)
    const [report] = await allOf(train(free, batches(), options(free, Number.POSITIVE_INFINITY)))
    const [other] = await allOf(train(clipped, batches(), options(clipped, report.gradientNorm / 2)))
    expect(other.gradientNorm).toBe(report.gradientNorm)
    const moved = async (model: LanguageModel) => {
      const now = Object.values(await readAll(model)).flat()
      return Math.hypot(
        ...Object.values(start).flatMap((values, i, all) => {
          const offset = all.slice(0, i).flat().length
          return values.map((value, j) => now[offset + j] - value)
        }),
      )
    }
    expect(await moved(free)).toBeCloseTo(report.gradientNorm, 5)
    expect(await moved(clipped)).toBeCloseTo(report.gradientNorm / 2, 5)
  })

  it('refuses options out of range at the call', () => {
    const model = tiny()
    expect(() => train(model, batches(), { steps: 1.5 })).toThrow(
      'train: steps is 1.5 but must be a non-negative integer',
    )
    expect(() => train(model, batches(), { steps: 5, from: -1 })).toThrow('train: from is -1')
    expect(() => train(model, batches(), { steps: 5, clip: 0 })).toThrow('train: clip is 0 but must be positive')
  })
})
