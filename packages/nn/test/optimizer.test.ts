import { reference, scope, type Tensor, tensor, useExecutor } from '@mixtape/autodiff'
import { adamW, clipByGlobalNorm, constantRate, Parameter, type Parameters, sgd, warmupCosine } from '@mixtape/nn'
import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { expectClose, liveBytes, random, read, seeds } from './support.ts'

beforeEach(async () => {
  await useExecutor(reference(), { dtype: 'float64' })
})

const runs = { numRuns: 40 }
const rates = fc.double({ min: 0, max: 1, noNaN: true })
const shares = fc.double({ min: 0, max: 0.999, noNaN: true })
const steps = fc.integer({ min: 1, max: 6 })

const shapes = { matrix: [2, 3], vector: [4] } as const

function makeParameters(): Parameters {
  return { matrix: new Parameter(random(shapes.matrix, 'm')), vector: new Parameter(random(shapes.vector, 'v')) }
}

function gradientsOf(step: number): { matrix: Tensor; vector: Tensor } {
  return { matrix: random(shapes.matrix, `gm ${step}`), vector: random(shapes.vector, `gv ${step}`) }
}

describe('adamW', () => {
  it('is the published update, for all hyper-parameters, with no decay on vectors', async () => {
    const options = fc.record({
      betas: fc.tuple(shares, shares),
      epsilon: fc.double({ min: 1e-8, max: 1, noNaN: true }),
      weightDecay: rates,
    })
    await fc.assert(
      fc.asyncProperty(options, steps, fc.array(rates, { minLength: 6, maxLength: 6 }), async (hyper, count, rate) => {
        const parameters = makeParameters()
        const optimizer = adamW(parameters, hyper)
        for (let step = 0; step < count; step++) optimizer.step(gradientsOf(step), rate[step])
        const { betas, epsilon, weightDecay } = hyper
        for (const [name, decay, start] of [
          ['matrix', weightDecay, random(shapes.matrix, 'm')],
          ['vector', 0, random(shapes.vector, 'v')],
        ] as const) {
          const want = await read(start)
          const mean = want.map(() => 0)
          const square = want.map(() => 0)
          for (let step = 0; step < count; step++) {
            const gradient = await read(gradientsOf(step)[name])
            for (const [i, g] of gradient.entries()) {
              mean[i] = betas[0] * mean[i] + (1 - betas[0]) * g
              square[i] = betas[1] * square[i] + (1 - betas[1]) * g * g
              const corrected = Math.sqrt(square[i] / (1 - betas[1] ** (step + 1))) + epsilon
              want[i] -= rate[step] * decay * want[i]
              want[i] -= (rate[step] * (mean[i] / (1 - betas[0] ** (step + 1)))) / corrected
            }
          }
          expectClose(await read(parameters[name].value), want)
        }
      }),
      runs,
    )
  })

  it('has the defaults of the paper: betas 0.9 and 0.999, ε 1e-8, decay 0.01', async () => {
    const [plain, explicit] = [makeParameters(), makeParameters()]
    const optimizers = [adamW(plain), adamW(explicit, { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0.01 })]
    for (let step = 0; step < 3; step++) for (const optimizer of optimizers) optimizer.step(gradientsOf(step), 0.1)
    expect(await read(plain.matrix.value)).toEqual(await read(explicit.matrix.value))
  })

  it('lets decays choose what decays', async () => {
    const parameters = makeParameters()
    const zero = { matrix: tensor(new Float64Array(6), { shape: [2, 3] }), vector: tensor(new Float64Array(4)) }
    adamW(parameters, { weightDecay: 0.5, decays: (name) => name === 'vector' }).step(zero, 0.1)
    expect(await read(parameters.matrix.value)).toEqual(await read(random([2, 3], 'm')))
    expectClose(
      await read(parameters.vector.value),
      (await read(random([4], 'v'))).map((value) => value * 0.95),
    )
  })

  it('refuses hyper-parameters out of range', () => {
    const parameters = makeParameters()
    expect(() => adamW(parameters, { betas: [1, 0.9] })).toThrow('adamW: betas is 1,0.9 but must be in [0, 1)')
    expect(() => adamW(parameters, { betas: [0.9, Number.NaN] })).toThrow('adamW: betas')
    expect(() => adamW(parameters, { epsilon: 0 })).toThrow('adamW: epsilon is 0 but must be positive')
    expect(() => adamW(parameters, { weightDecay: -1 })).toThrow('adamW: weightDecay is -1 but must be 0 or more')
  })
})

describe('sgd', () => {
  it('is m ← μm + g + λw, w ← w − ηm, for all hyper-parameters', async () => {
    const options = fc.record({
      momentum: fc.oneof(fc.constant(0), shares),
      weightDecay: fc.oneof(fc.constant(0), rates),
    })
    await fc.assert(
      fc.asyncProperty(options, steps, rates, async (hyper, count, rate) => {
        const parameters = makeParameters()
        const optimizer = sgd(parameters, hyper)
        const want = await read(parameters.matrix.value)
        const momentum = want.map(() => 0)
        for (let step = 0; step < count; step++) {
          const gradient = await read(gradientsOf(step).matrix)
          for (const [i, g] of gradient.entries()) {
            momentum[i] = hyper.momentum * momentum[i] + g + hyper.weightDecay * want[i]
            want[i] -= rate * momentum[i]
          }
          optimizer.step(gradientsOf(step), rate)
        }
        expectClose(await read(parameters.matrix.value), want)
      }),
      runs,
    )
  })

  it('refuses hyper-parameters out of range', () => {
    expect(() => sgd(makeParameters(), { momentum: 1 })).toThrow('sgd: momentum is 1 but must be in [0, 1)')
    expect(() => sgd(makeParameters(), { weightDecay: -0.1 })).toThrow('sgd: weightDecay is -0.1')
  })
})

const optimizers = {
  adamW: (parameters: Parameters) => adamW(parameters),
  sgd: (parameters: Parameters) => sgd(parameters),
  'sgd with momentum': (parameters: Parameters) => sgd(parameters, { momentum: 0.9, weightDecay: 0.1 }),
}

describe.each(Object.entries(optimizers))('%s', (_, make) => {
  it('leaves a parameter without a gradient as it is', async () => {
    const parameters = makeParameters()
    const { matrix } = gradientsOf(0)
    make(parameters).step({ matrix }, 0.1)
    expect(await read(parameters.vector.value)).toEqual(await read(random([4], 'v')))
    expect(await read(parameters.matrix.value)).not.toEqual(await read(random([2, 3], 'm')))
  })

  it('steps in a scope as outside of one', async () => {
    const [inside, outside] = [makeParameters(), makeParameters()]
    const [one, other] = [make(inside), make(outside)]
    for (let step = 0; step < 3; step++) {
      scope(() => one.step(gradientsOf(step), 0.1))
      other.step(gradientsOf(step), 0.1)
    }
    expect(await read(inside.matrix.value)).toEqual(await read(outside.matrix.value))
    expect(await read(inside.vector.value)).toEqual(await read(outside.vector.value))
  })

  it('holds constant memory, in a scope and outside', () => {
    const parameters = makeParameters()
    const optimizer = make(parameters)
    const gradients = gradientsOf(0)
    const before = liveBytes()
    for (let step = 0; step < 5; step++) {
      optimizer.step(gradients, 0.1)
      expect(liveBytes()).toBe(before)
      scope(() => optimizer.step(gradients, 0.1))
      expect(liveBytes()).toBe(before)
    }
    expect(Object.values(gradients).some((gradient) => gradient.freed)).toBe(false)
  })

  it('changes nothing when a gradient or the rate does not fit', async () => {
    const parameters = makeParameters()
    const optimizer = make(parameters)
    optimizer.step(gradientsOf(0), 0.1)
    const before = [await read(parameters.matrix.value), await read(parameters.vector.value), optimizer.state()]
    const good = gradientsOf(1)
    const bad: [Record<string, Tensor>, number, string][] = [
      [{ ...good, other: good.vector }, 0.1, 'there is a gradient for other but no such parameter'],
      [{ ...good, toString: good.vector }, 0.1, 'there is a gradient for toString but no such parameter'],
      [{ ...good, vector: good.matrix }, 0.1, 'the gradient of vector has shape [2, 3] but the parameter has [4]'],
      [{ ...good, vector: tensor([1, 2, 3, 4], { dtype: 'float32' }) }, 0.1, 'the gradient of vector is float32'],
      [good, Number.NaN, 'learningRate is NaN but must be a finite number, 0 or more'],
      [good, -1, 'learningRate is -1'],
      [good, Number.POSITIVE_INFINITY, 'learningRate is Infinity'],
    ]
    for (const [gradients, rate, message] of bad) expect(() => optimizer.step(gradients, rate)).toThrow(message)
    expect([await read(parameters.matrix.value), await read(parameters.vector.value), optimizer.state()]).toEqual(
      before,
    )
  })

  it('goes on from a restored state as if it had never stopped', async () => {
    const parameters = makeParameters()
    const optimizer = make(parameters)
    for (let step = 0; step < 3; step++) optimizer.step(gradientsOf(step), 0.1)
    const { kind, steps, tensors } = optimizer.state()
    const copy = async (x: Tensor) => tensor(await read(x), { shape: x.shape })
    const copies = await Promise.all(Object.entries(tensors).map(async ([key, x]) => [key, await copy(x)] as const))
    const later: Parameters = {
      matrix: new Parameter(await copy(parameters.matrix.value)),
      vector: new Parameter(await copy(parameters.vector.value)),
    }
    const resumed = make(later)
    resumed.restore({ kind, steps, tensors: Object.fromEntries(copies) })
    for (let step = 3; step < 6; step++) for (const each of [optimizer, resumed]) each.step(gradientsOf(step), 0.1)
    expect(await read(later.matrix.value)).toEqual(await read(parameters.matrix.value))
    expect(await read(later.vector.value)).toEqual(await read(parameters.vector.value))
    expect(resumed.state().steps).toBe(6)
  })

  it('refuses a state of another kind or other parameters', () => {
    const optimizer = make(makeParameters())
    const { kind, steps, tensors } = optimizer.state()
    const extra = random([4], 0)
    expect(() => optimizer.restore({ kind: 'lion', steps, tensors })).toThrow(`${kind}: the state is one of lion`)
    expect(() => optimizer.restore({ kind, steps: -1, tensors })).toThrow('-1 steps')
    expect(() => optimizer.restore({ kind, steps, tensors: { ...tensors, 'x/mean': extra } })).toThrow('[x/mean]')
    for (const key of Object.keys(tensors)) {
      const { [key]: _left, ...rest } = tensors
      expect(() => optimizer.restore({ kind, steps, tensors: rest })).toThrow(`lacks [${key}]`)
      const wrong = { ...tensors, [key]: random([7], 0) }
      expect(() => optimizer.restore({ kind, steps, tensors: wrong })).toThrow('its new value has [7]')
    }
    expect(optimizer.state()).toEqual({ kind, steps, tensors })
  })
})

describe('clipByGlobalNorm', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 })
  const limits = fc.oneof(fc.double({ min: 1e-3, max: 10, noNaN: true }), fc.constant(Number.POSITIVE_INFINITY))

  it('scales all gradients by one factor to a joint norm of at most the limit, and leaves smaller ones alone', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, limits, seeds, async (lengths, limit, seed) => {
        const given = Object.fromEntries(lengths.map((length, i) => [`g${i}`, random([length], `${seed} ${i}`)]))
        const { gradients, norm } = clipByGlobalNorm(given, limit)
        const joint = async (tensors: Record<string, Tensor>) =>
          Math.hypot(...(await Promise.all(Object.values(tensors).map(read))).flat())
        const before = await joint(given)
        expectClose([await norm.item()], [before])
        expect(Object.keys(gradients)).toEqual(Object.keys(given))
        const factor = Math.min(1, limit / before)
        for (const [name, x] of Object.entries(given)) {
          const values = await read(x)
          if (before < limit) expect(await read(gradients[name])).toEqual(values)
          else
            expectClose(
              await read(gradients[name]),
              values.map((value) => value * factor),
            )
        }
        expect(await joint(gradients)).toBeLessThanOrEqual(limit * (1 + 1e-12))
      }),
      runs,
    )
  })

  it('leaves gradients of zero at zero', async () => {
    expect(await read(clipByGlobalNorm({ a: tensor([0, 0]) }, 1).gradients.a)).toEqual([0, 0])
  })

  it('refuses no gradients and limits that are not positive', () => {
    expect(() => clipByGlobalNorm({}, 1)).toThrow('gradients is empty')
    expect(() => clipByGlobalNorm({ a: tensor([1]) }, 0)).toThrow('limit is 0 but must be positive')
  })
})

describe('schedules', () => {
  beforeAll(async () => {
    await useExecutor(reference())
  })

  it('warmupCosine rises over the warm-up, then falls along a cosine to 0', () => {
    const schedule = warmupCosine({ peak: 2, steps: 100 })
    expect(schedule(0)).toBeCloseTo(2 * 0.1, 12)
    expect(schedule(9)).toBeCloseTo(2 * 0.5 * (1 + Math.cos(Math.PI * 0.09)), 12)
    expect(schedule(50)).toBeCloseTo(1, 12)
    expect(schedule(99)).toBeCloseTo(0.5 * 2 * (1 + Math.cos(Math.PI * 0.99)), 12)
    expect(schedule(100)).toBeCloseTo(0, 12)
    expect(schedule(1000)).toBeCloseTo(0, 12)
    for (let step = 11; step <= 100; step++) expect(schedule(step)).toBeLessThan(schedule(step - 1))
    for (let step = 1; step < 10; step++) expect(schedule(step)).toBeGreaterThan(schedule(step - 1))
  })

  it('warmupCosine without warm-up begins at the peak', () => {
    expect(warmupCosine({ peak: 2, steps: 10, warmup: 0 })(0)).toBe(2)
  })

  it('warmupCosine refuses sizes out of range', () => {
    expect(() => warmupCosine({ peak: -1, steps: 10 })).toThrow('warmupCosine: peak is -1')
    expect(() => warmupCosine({ peak: 1, steps: 1.5 })).toThrow('warmupCosine: steps is 1.5')
    expect(() => warmupCosine({ peak: 1, steps: 10, warmup: 2 })).toThrow('warmupCosine: warmup is 2')
  })

  it('constantRate is the same at every step', () => {
    expect([0, 5, 1e6].map(constantRate(0.3))).toEqual([0.3, 0.3, 0.3])
  })
})
