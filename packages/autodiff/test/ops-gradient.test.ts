import * as ops from '@mixtape/autodiff'
import { grad, mul, reference, scope, sum, type Tensor, tensor, useExecutor } from '@mixtape/autodiff'
import { checkGradient } from '@mixtape/autodiff/testing'
import fc from 'fast-check'
import { beforeAll, describe, it } from 'vitest'
import { axisShapes, broadcastPairs, seeds, shapes, spread } from './arbitraries.ts'

beforeAll(async () => {
  await useExecutor(reference(), { dtype: 'float64' })
})

const runs = { numRuns: 25 }

/** Values near these are kinks, where central differences mean nothing. */
const away = (x: Tensor) => ops.where(ops.less(ops.abs(x), 0.05), ops.add(x, 0.1), x)

const unary: Record<string, { f: (x: Tensor) => Tensor; low?: number; high?: number }> = {
  neg: { f: ops.neg },
  abs: { f: (x) => ops.abs(away(x)) },
  square: { f: ops.square },
  pow: { f: (x) => ops.pow(x, 2.5), low: 0.5, high: 3 },
  'pow with an integer exponent': { f: (x) => ops.pow(x, 3) },
  clamp: { f: (x) => ops.clamp(x, { min: -1.03, max: 0.97 }) },
  exp: { f: ops.exp },
  expm1: { f: ops.expm1 },
  log: { f: ops.log, low: 0.2, high: 3 },
  log1p: { f: ops.log1p, low: -0.8, high: 3 },
  sqrt: { f: ops.sqrt, low: 0.2, high: 3 },
  rsqrt: { f: ops.rsqrt, low: 0.2, high: 3 },
  tanh: { f: ops.tanh },
  sigmoid: { f: ops.sigmoid, low: -6, high: 6 },
  logSigmoid: { f: ops.logSigmoid, low: -30, high: 30 },
  softplus: { f: ops.softplus, low: -30, high: 30 },
  silu: { f: ops.silu, low: -6, high: 6 },
  gelu: { f: ops.gelu, low: -4, high: 4 },
  'gelu by tanh': { f: (x) => ops.gelu(x, { approximate: 'tanh' }), low: -4, high: 4 },
  relu: { f: (x) => ops.relu(away(x)) },
  sum: { f: (x) => ops.sum(x) },
  mean: { f: (x) => ops.mean(x, { axes: [] }) },
  reshape: { f: (x) => ops.reshape(x, [x.size]) },
  transpose: { f: (x) => ops.transpose(x) },
}

describe('the gradient of', () => {
  for (const [name, { f, low, high }] of Object.entries(unary)) {
    it(`${name} equals central differences, and so does its second derivative`, async () => {
      await fc.assert(
        fc.asyncProperty(shapes, seeds, async (shape, seed) => {
          const x = spread(shape, seed, low, high)
          await checkGradient(f, [x])
          await checkGradient((y) => grad((z: Tensor) => sum(mul(f(z), weights(f(z)))))(y), [x], { tolerance: 1e-5 })
        }),
        runs,
      )
    })
  }

  const binary: Record<string, (a: Tensor, b: Tensor) => Tensor> = {
    add: ops.add,
    sub: ops.sub,
    mul: ops.mul,
    div: (a, b) => ops.div(a, ops.add(b, 5)),
    maximum: ops.maximum,
    minimum: ops.minimum,
    where: (a, b) => ops.where(ops.less(a, b), ops.mul(a, b), ops.sub(a, b)),
  }
  for (const [name, f] of Object.entries(binary)) {
    it(`${name} equals central differences under broadcasting`, async () => {
      await fc.assert(
        fc.asyncProperty(broadcastPairs, seeds, async ([a, b], seed) => {
          await checkGradient(f, [spread(a, seed), spread(b, `${seed} b`)])
        }),
        runs,
      )
    })
  }

  const alongAxis: Record<string, (x: Tensor, axis: number) => Tensor> = {
    'sum over an axis': (x, axis) => ops.sum(x, { axes: axis }),
    'mean over an axis': (x, axis) => ops.mean(x, { axes: axis, keepAxes: true }),
    'variance over an axis': (x, axis) => ops.variance(x, { axes: axis }),
    'max over an axis': (x, axis) => ops.max(x, { axes: axis }),
    'min over an axis': (x, axis) => ops.min(x, { axes: axis, keepAxes: true }),
    'logSumExp over an axis': (x, axis) => ops.logSumExp(x, { axes: axis }),
    'logSumExp over all axes but one': (x, axis) =>
      ops.logSumExp(x, { axes: x.shape.map((_, i) => i).filter((i) => i !== axis) }),
    softmax: (x, axis) => ops.softmax(x, { axis }),
    logSoftmax: (x, axis) => ops.logSoftmax(x, { axis }),
    cumSum: (x, axis) => ops.cumSum(x, { axis }),
    'reverse cumSum': (x, axis) => ops.cumSum(x, { axis, reverse: true }),
    cumLogSumExp: (x, axis) => ops.cumLogSumExp(x, { axis }),
    'reverse cumLogSumExp': (x, axis) => ops.cumLogSumExp(x, { axis, reverse: true }),
    flip: (x, axis) => ops.flip(x, { axes: axis }),
    repeat: (x, axis) => ops.repeat(x, { axis, count: 3 }),
    pad: (x, axis) => ops.pad(x, { axis, before: 1, after: 2, value: 7 }),
    slice: (x, axis) => ops.slice(x, { axis, start: x.shape[axis] > 0 ? 1 : 0, step: 2 }),
    split: (x, axis) => ops.mul(...halves(x, axis)),
    concat: (x, axis) => ops.concat([x, ops.square(x)], { axis }),
    stack: (x, axis) => ops.stack([x, ops.square(x)], { axis }),
    swapAxes: (x, axis) => ops.swapAxes(x, axis, 0),
    expandAxis: (x, axis) => ops.broadcastTo(ops.expandAxis(x, axis), x.shape.toSpliced(axis, 0, 2)),
    gather: (x, axis) => ops.gather(x, picks(x, axis), { axis }),
    scatterAdd: (x, axis) =>
      ops.scatterAdd(x, picks(x, axis), ops.square(ops.gather(x, picks(x, axis), { axis })), { axis }),
  }
  for (const [name, f] of Object.entries(alongAxis)) {
    it(`${name} equals central differences`, async () => {
      await fc.assert(
        fc.asyncProperty(axisShapes, fc.nat(), seeds, async (shape, choice, seed) => {
          const axis = choice % shape.length
          await checkGradient((x) => f(x, axis), [spread(shape, seed)])
        }),
        runs,
      )
    })
  }

  it('matmul equals central differences for every transpose and broadcast batches', async () => {
    const extents = fc.tuple(...[0, 0, 0].map(() => fc.integer({ min: 0, max: 3 })))
    await fc.assert(
      fc.asyncProperty(
        broadcastPairs,
        extents,
        fc.boolean(),
        fc.boolean(),
        seeds,
        async ([a, b], [m, n, k], transposeA, transposeB, seed) => {
          const left = spread([...a.slice(-2), ...(transposeA ? [k, m] : [m, k])], seed)
          const right = spread([...b.slice(-2), ...(transposeB ? [n, k] : [k, n])], `${seed} b`)
          await checkGradient((x, y) => ops.matmul(x, y, { transposeA, transposeB }), [left, right])
        },
      ),
      runs,
    )
  })

  it('embedding and crossEntropy equals central differences', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 5 }),
        seeds,
        async (ids, seed) => {
          const index = tensor(ids, { dtype: 'int32' })
          const targets = tensor(
            ids.map((id, i) => (i % 3 === 1 ? -100 : id)),
            { dtype: 'int32' },
          )
          await checkGradient((table) => ops.crossEntropy(ops.embedding(table, index), targets), [spread([4, 4], seed)])
        },
      ),
      runs,
    )
  })

  it('causalConv1d and depthwiseConv2d equals central differences, twice', async () => {
    const small = fc.integer({ min: 0, max: 3 })
    await fc.assert(
      fc.asyncProperty(small, small, small, fc.integer({ min: 1, max: 4 }), seeds, async (b, t, c, w, seed) => {
        const inputs = [spread([b, t, c], seed), spread([c, w], `${seed} w`), spread([b, w - 1, c], `${seed} h`)]
        const f = (x: Tensor, weight: Tensor, history: Tensor) => ops.causalConv1d(x, weight, { history })
        await checkGradient(f, inputs)
        await checkGradient(
          (x, weight, history) => grad((y: Tensor) => sum(ops.square(f(y, weight, history))))(x),
          inputs,
        )
        const image = [spread([b, t, 2, c], seed), spread([c, 3, 1], `${seed} w`)]
        await checkGradient(ops.depthwiseConv2d, image)
      }),
      { numRuns: 10 },
    )
  })

  it('solveUnitLower, tril and triu equals central differences', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 4 }),
        fc.nat({ max: 3 }),
        fc.boolean(),
        seeds,
        async (n, columns, transpose, seed) => {
          const inputs = [spread([2, n, n], seed, -1, 1), spread([2, n, columns], `${seed} b`)]
          await checkGradient((l, b) => ops.solveUnitLower(l, b, { transpose }), inputs)
          await checkGradient((l) => ops.add(ops.tril(l, { diagonal: -1 }), ops.square(ops.triu(l))), [inputs[0]])
        },
      ),
      runs,
    )
  })

  it('rmsNorm and layerNorm equals central differences', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 3 }), fc.integer({ min: 2, max: 4 }), seeds, async (rows, width, seed) => {
        const inputs = [spread([rows, width], seed), spread([width], `${seed} w`), spread([width], `${seed} b`)]
        await checkGradient((x, weight) => ops.rmsNorm(x, { weight }), inputs.slice(0, 2))
        await checkGradient((x, weight, bias) => ops.layerNorm(x, { weight, bias }), inputs, { tolerance: 1e-5 })
      }),
      runs,
    )
  })
})

function halves(x: Tensor, axis: number): [Tensor, Tensor] {
  const doubled = ops.concat([x, ops.square(x)], { axis })
  const [first, second] = ops.split(doubled, { axis, sizes: [x.shape[axis], x.shape[axis]] })
  return [first, second]
}

function picks(x: Tensor, axis: number): Tensor {
  const shape = x.shape.with(axis, x.shape[axis] === 0 ? 0 : 2)
  const size = shape.reduce((product, extent) => product * extent, 1)
  return tensor(
    Int32Array.from({ length: size }, (_, i) => (i * 7) % Math.max(1, x.shape[axis])),
    { shape },
  )
}

function weights(like: Tensor): Tensor {
  return scope(() => ops.stopGradient(() => spread(like.shape, 'second', 0.5, 1.5)))
}
