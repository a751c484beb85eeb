import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Executor,
  type Generator,
  randomGenerator,
  reference,
  type Tensor,
  tensor,
  useExecutor,
} from '@mixtape/autodiff'
import { writeSafetensorsFile } from '@mixtape/autodiff/node'
import { encodeSafetensors, openSafetensors, type SafetensorsFile } from '@mixtape/autodiff/safetensors'
import { wasm } from '@mixtape/autodiff/wasm'
import {
  adamW,
  attention,
  type Checkpoint,
  checkpointTensors,
  type LanguageModel,
  Linear,
  languageModel,
  loadParameters,
  type Optimizer,
  Parameter,
  type Parameters,
  restoreCheckpoint,
  sgd,
  train,
  valuesOf,
} from '@mixtape/nn'
import { loadCheckpoint, loadParametersFrom, saveCheckpoint, saveParameters } from '@mixtape/nn/node'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { convolution, counting, liveBytes, randomize, readAll } from './support.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mixtape-nn-'))
})
afterAll(() => rm(folder, { recursive: true }))

const vocabulary = 6

function make(seed: number = 0): LanguageModel {
  const layers = [attention({ heads: 2 }), convolution()]
  return languageModel({ vocabulary, width: 8, layers, innerWidth: 8, seed })
}

type MakeOptimizer = (parameters: Parameters) => Optimizer
const optimizers: Record<string, MakeOptimizer> = {
  adamW: (parameters) => adamW(parameters),
  'sgd with momentum': (parameters) => sgd(parameters, { momentum: 0.9, weightDecay: 0.01 }),
  sgd: (parameters) => sgd(parameters),
}
const executors: Record<string, () => Promise<Executor>> = { reference: async () => reference(), wasm }
const combinations = Object.keys(executors).flatMap((executor) =>
  Object.keys(optimizers).map((optimizer) => [executor, optimizer] as const),
)

/** Model, optimiser and a generator that every batch draws from. */
interface Everything {
  readonly model: LanguageModel
  readonly optimizer: Optimizer
  readonly generators: { readonly data: Generator }
}

function everything(optimizer: MakeOptimizer, seed: number = 0): Everything {
  const model = make(seed)
  return { model, optimizer: optimizer(model.parameters()), generators: { data: randomGenerator(seed) } }
}

async function trained({ model, optimizer, generators }: Everything, from: number, to: number): Promise<number[]> {
  const losses: number[] = []
  const batch = () => counting(generators.data, vocabulary, 2, 5)
  for await (const { loss, step } of train(model, batch, { steps: 10, from, optimizer })) {
    losses.push(loss)
    if (step === to) break
  }
  return losses
}

/** Everything that a run goes on from. */
async function contentsOf({ model, optimizer, generators }: Everything): Promise<unknown> {
  const { kind, steps, tensors } = optimizer.state()
  const averages = Object.entries(tensors).map(async ([name, value]) => [name, Array.from(await value.data())])
  return {
    weights: await readAll(model),
    kind,
    steps,
    averages: await Promise.all(averages),
    data: generators.data.state,
  }
}

async function encoded(
  tensors: Record<string, Tensor>,
  metadata: Record<string, string> = {},
): Promise<SafetensorsFile> {
  const pieces: Uint8Array<ArrayBuffer>[] = []
  for await (const piece of encodeSafetensors(tensors, { metadata })) pieces.push(new Uint8Array(piece))
  return openSafetensors(new Blob(pieces))
}

function inMemory(checkpoint: Checkpoint): Promise<SafetensorsFile> {
  const { tensors, metadata } = checkpointTensors(checkpoint)
  return encoded(tensors, metadata)
}

describe.each(combinations)('on %s with %s', (executor, optimizer) => {
  beforeEach(async () => {
    await useExecutor(executors[executor]())
  })

  it('5 steps, a checkpoint and 5 more in fresh objects are 10 steps, to the bit', async () => {
    const whole = everything(optimizers[optimizer])
    const losses = await trained(whole, 0, 10)
    const first = everything(optimizers[optimizer])
    const early = await trained(first, 0, 5)
    const path = join(folder, `${executor} ${optimizer}.safetensors`)
    await saveCheckpoint(path, { ...first, step: 5, metadata: { note: 'halfway' } })
    const second = everything(optimizers[optimizer], 99)
    const { step, metadata } = await loadCheckpoint(path, second)
    expect([step, metadata]).toEqual([5, { note: 'halfway' }])
    expect([...early, ...(await trained(second, step, 10))]).toEqual(losses)
    expect(await contentsOf(second)).toEqual(await contentsOf(whole))
  })
})

describe('a checkpoint', () => {
  beforeEach(async () => {
    await useExecutor(wasm())
  })

  it('keeps float64 runs to the bit too', async () => {
    await useExecutor(reference(), { dtype: 'float64' })
    const saved = everything(optimizers.adamW)
    await trained(saved, 0, 3)
    const restored = everything(optimizers.adamW, 99)
    await restoreCheckpoint(await inMemory({ ...saved, step: 3 }), restored)
    expect(await contentsOf(restored)).toEqual(await contentsOf(saved))
  })

  it('holds parameters under their names, averages under optimizer/, and says what it is', async () => {
    const { model, optimizer, generators } = everything(optimizers.adamW)
    const { tensors, metadata } = checkpointTensors({ model, optimizer, generators, step: 7 })
    const names = Object.keys(model.parameters())
    const averages = names.flatMap((name) => [`optimizer/${name}/mean`, `optimizer/${name}/square`])
    expect(Object.keys(tensors)).toEqual([...names, ...averages])
    expect(metadata).toEqual({
      format: 'mixtape checkpoint',
      version: '1',
      step: '7',
      optimizer: '{"kind":"adamW","steps":0}',
      generators: JSON.stringify({ data: generators.data.state }),
      metadata: '{}',
    })
  })

  it('keeps every generator state and all metadata', async () => {
    const words = fc.integer({ min: 0, max: 2 ** 32 - 1 })
    const model = new Linear(1, 1, randomGenerator(0))
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string({ unit: 'binary' }), fc.tuple(words, words, words, words)),
        fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })),
        fc.nat(),
        async (states, metadata, step) => {
          const generators = Object.fromEntries(
            Object.entries(states).map(([name, state]) => {
              const generator = randomGenerator(0)
              generator.state = state
              return [name, generator]
            }),
          )
          const file = await inMemory({ model, generators, step, metadata })
          for (const generator of Object.values(generators)) generator.bits()
          expect(await restoreCheckpoint(file, { model, generators })).toEqual({ step, metadata: { ...metadata } })
          for (const [name, generator] of Object.entries(generators)) expect(generator.state).toEqual(states[name])
        },
      ),
      { numRuns: 50 },
    )
  })

  it('gives a model alone to whoever wants no more', async () => {
    const saved = everything(optimizers.adamW)
    const model = make(99)
    await restoreCheckpoint(await inMemory({ ...saved, step: 0 }), { model })
    expect(await readAll(model)).toEqual(await readAll(saved.model))
  })

  it('leaves no memory behind', async () => {
    const saved = everything(optimizers.adamW)
    const restored = everything(optimizers.adamW, 99)
    const before = liveBytes()
    const file = await inMemory({ ...saved, step: 0 })
    await restoreCheckpoint(file, restored)
    expect(liveBytes()).toBe(before)
  })

  it('changes nothing when it does not fit, whatever does not', async () => {
    const saved = everything(optimizers.adamW)
    const { tensors, metadata } = checkpointTensors({ ...saved, step: 3 })
    const head = 'lm_head.weight'
    const { [head]: _head, ...noHead } = tensors
    const average = `optimizer/${head}/mean`
    const { [average]: _average, ...noAverage } = tensors
    const target = everything(optimizers.adamW, 99)
    const other = (change: Record<string, string>) => ({ ...metadata, ...change })
    const { optimizer: _optimizer, ...noOptimizer } = metadata
    const wrong: [Record<string, Tensor>, Record<string, string>, string][] = [
      [noHead, metadata, `the file does not fit: missing ${head}`],
      [noAverage, metadata, `the file does not fit: missing ${average}`],
      [{ ...tensors, 'model.extra': tensor([1]) }, metadata, 'unexpected model.extra'],
      [{ ...tensors, 'optimizer/x/mean': tensor([1]) }, metadata, 'unexpected optimizer/x/mean'],
      [{ ...tensors, [head]: tensor([[1]]) }, metadata, `different ${head} is F32 [1, 1] but must be F32 [6, 8]`],
      [{ ...tensors, [average]: tensor([1]) }, metadata, `different ${average} is F32 [1] but must be F32 [6, 8]`],
      [tensors, {}, 'the file has no format in its metadata but must have "mixtape checkpoint"'],
      [tensors, other({ format: 'pt' }), 'the file has format "pt"'],
      [tensors, other({ version: '2' }), 'the file has version 2 but this code reads version 1'],
      [tensors, other({ step: '-1' }), 'step is "-1" in the file\'s metadata and cannot be understood'],
      [tensors, other({ step: 'x' }), 'step is "x"'],
      [tensors, other({ optimizer: '{"kind":"adamW"}' }), 'optimizer is'],
      [
        tensors,
        other({ optimizer: '{"kind":"sgd","steps":3}' }),
        'an optimiser of kind sgd but must have one of kind adamW',
      ],
      [tensors, noOptimizer, 'the file has no optimiser but must have one of kind adamW'],
      [tensors, other({ generators: '{"data":[1,2,3]}' }), 'generators is'],
      [tensors, other({ generators: '{"data":[1,2,3,4294967296]}' }), 'generators is'],
      [tensors, other({ generators: '{}' }), 'the file has generators [] but must have [data]'],
      [tensors, other({ generators: '{"x":[1,2,3,4]}' }), 'the file has generators [x] but must have [data]'],
      [tensors, other({ metadata: '[]' }), 'metadata is "[]"'],
    ]
    const before = await contentsOf(target)
    for (const [given, strings, message] of wrong) {
      const file = await encoded(given, strings)
      const bytes = liveBytes()
      await expect(restoreCheckpoint(file, target)).rejects.toThrow(message)
      expect(liveBytes()).toBe(bytes)
    }
    expect(await contentsOf(target)).toEqual(before)
  })

  it('changes nothing and leaves no memory when the file breaks while it is read', async () => {
    const saved = everything(optimizers.adamW)
    const target = everything(optimizers.adamW, 99)
    const path = join(folder, 'breaks.safetensors')
    await saveCheckpoint(path, { ...saved, step: 0 })
    const bytes = await readFile(path)
    let reads = 0
    const file = await openSafetensors({
      size: bytes.length,
      read: async (start, end) => {
        if (++reads === 12) throw new Error('disk on fire')
        return new Uint8Array(bytes.subarray(start, end))
      },
    })
    const before = await contentsOf(target)
    const live = liveBytes()
    await expect(restoreCheckpoint(file, target)).rejects.toThrow('disk on fire')
    expect(await contentsOf(target)).toEqual(before)
    expect(liveBytes()).toBe(live)
  })

  it('is of one floating type: a run is not rounded in passing', async () => {
    await useExecutor(reference(), { dtype: 'float64' })
    const file = await inMemory({ model: make(), step: 0 })
    await useExecutor(reference())
    await expect(restoreCheckpoint(file, { model: make() })).rejects.toThrow('is F64 [6, 8] but must be F32 [6, 8]')
  })

  it('is restored on the executor of the model only', async () => {
    const model = make()
    const file = await inMemory({ model, step: 0 })
    await useExecutor(reference())
    await expect(restoreCheckpoint(file, { model })).rejects.toThrow(
      'the model is on an executor wasm that is not in use',
    )
  })

  it("refuses a step that is none and parameters under the optimiser's names", () => {
    const model = make()
    expect(() => checkpointTensors({ model, step: -1 })).toThrow('checkpoint: step is -1')
    const parameter = new Parameter(tensor([1]))
    expect(() => checkpointTensors({ model: { parameters: () => ({ 'optimizer/a': parameter }) }, step: 0 })).toThrow(
      'a parameter is named optimizer/a',
    )
  })
})

describe('files', () => {
  beforeEach(async () => {
    await useExecutor(wasm())
  })

  it('an older checkpoint survives a save that fails, and nothing else is left', async () => {
    const place = await mkdtemp(join(folder, 'save-'))
    const path = join(place, 'run.safetensors')
    const { model } = everything(optimizers.adamW)
    await saveCheckpoint(path, { model, step: 1 })
    const before = await readFile(path)
    const broken = { '\ud800': 'half of a pair' }
    await expect(saveParameters(path, model, { metadata: broken })).rejects.toThrow('surrogate')
    const { tensors } = checkpointTensors({ model, step: 2 })
    const late = { dtype: 'F32', shape: [1], data: () => Promise.reject(new Error('told to')) } as const
    await expect(writeSafetensorsFile(path, { ...tensors, late })).rejects.toThrow('told to')
    expect(await readdir(place)).toEqual(['run.safetensors'])
    expect(await readFile(path)).toEqual(before)
  })

  it('errors name the path', async () => {
    const path = join(folder, 'no-checkpoint.safetensors')
    await writeFile(path, 'no')
    const model = make()
    await expect(loadCheckpoint(path, { model })).rejects.toThrow(`${path}: safetensors: the file has 2 bytes`)
    await saveParameters(path, model)
    await expect(loadCheckpoint(path, { model })).rejects.toThrow(`${path}: checkpoint: the file has format "pt"`)
    await expect(loadParametersFrom(join(folder, 'nowhere'), model)).rejects.toThrow('ENOENT')
  })

  it('weights come back as they were saved', async () => {
    const path = join(folder, 'weights.safetensors')
    const [saved, loaded] = [make(), make(99)]
    randomize(saved, 1)
    await saveParameters(path, saved, { metadata: { source: 'a test' } })
    await loadParametersFrom(path, loaded)
    expect(await readAll(loaded)).toEqual(await readAll(saved))
  })
})

describe('loadParameters', () => {
  beforeEach(async () => {
    await useExecutor(wasm())
  })

  it('converts the floating types of upstream files', async () => {
    const layer = new Linear(2, 1, randomGenerator(0), { bias: true })
    const weight = [1.5, -0.3]
    for (const [dtype, want] of [
      ['F16', [1.5, -0.300048828125]],
      ['BF16', [1.5, -0.30078125]],
      ['F32', [1.5, Math.fround(-0.3)]],
      ['F64', [1.5, Math.fround(-0.3)]],
    ] as const) {
      const data = dtype === 'F64' ? Float64Array.from(weight) : Float32Array.from(weight)
      const stored = {
        weight: { dtype, shape: [1, 2], data },
        bias: { dtype: 'F32', shape: [1], data: Float32Array.of(2) },
      } as const
      const path = join(folder, `${dtype}.safetensors`)
      await writeSafetensorsFile(path, stored)
      await loadParametersFrom(path, layer)
      expect(await readAll(layer)).toEqual({ weight: want, bias: [2] })
    }
  })

  it('lists all that is missing, unexpected and different, and changes nothing', async () => {
    const layer = new Linear(2, 1, randomGenerator(0), { bias: true })
    const before = await readAll(layer)
    const file = await encoded({ weight: tensor([1, 2]), gamma: tensor([1]) })
    await expect(loadParameters(layer, file)).rejects.toThrow(
      'loadParameters: the file does not fit: missing bias; unexpected gamma; different weight is F32 [2] but must be F32 [1, 2]',
    )
    const integers = await encoded({ weight: tensor([[1, 2]], { dtype: 'int32' }), bias: tensor([1]) })
    await expect(loadParameters(layer, integers)).rejects.toThrow('weight is I32 [1, 2] but must be F32 [1, 2]')
    expect(await readAll(layer)).toEqual(before)
  })

  it('shortens long lists', async () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`extra.${i}`, tensor([1])]))
    const layer = new Linear(2, 1, randomGenerator(0))
    const file = await encoded({ ...valuesOf(layer.parameters()), ...many })
    await expect(loadParameters(layer, file)).rejects.toThrow(/extra\.\d+ and 10 more$/)
  })
})
