import fc from 'fast-check'
import { describe, it } from 'vitest'
import type { DType, TypedArray } from '../dtype.ts'
import { allocateArray } from '../dtype.ts'
import type { CoreKernelName, CoreKernels, Executor, ExecutorBuffer } from '../executor.ts'
import { reference } from '../executors/reference/index.ts'
import { call, constant, type Expression, input, type ScalarFunction } from '../expression.ts'
import { randomGenerator } from '../random.ts'
import { broadcastStrides, type Shape, sizeOf, stridesOf } from '../shape.ts'

/** One thing an executor must do. Throws an Error that says what is wrong. */
export interface ExecutorCheck {
  readonly name: string
  run(executor: Executor): Promise<void>
}

/**
 * Registers the conformance suite for an executor: every core kernel against the reference executor in float64, over
 * generated shapes and special values, and the rules of memory.
 */
export function describeExecutor(name: string, create: () => Promise<Executor>): void {
  describe(`executor ${name}`, () => {
    for (const check of executorChecks) {
      it(check.name, async () => {
        const executor = await create()
        try {
          await check.run(executor)
        } finally {
          executor.close()
        }
      })
    }
  })
}

/** A kernel call on host data, dtype `float32` unless said otherwise. */
interface KernelCase<Name extends CoreKernelName> {
  readonly params: CoreKernels[Name]
  readonly inputs: readonly (Float32Array | Int32Array)[]
  /** Length of the output, and what it holds before. */
  readonly output: number
  readonly outputDType?: DType
  readonly before?: Float32Array
}

const extent = fc.integer({ min: 0, max: 9 })
const positive = fc.integer({ min: 1, max: 9 })
const seed = fc.nat({ max: 10_000 })
const specials = [
  0,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e-40,
  3e38,
  -3e38,
  88.5,
  -88.5,
  1e-7,
  -0.5,
]

/** Functions of one and two arguments and the domain in which float32 rounding is all that may differ. */
const functions: readonly { name: ScalarFunction; arity: 1 | 2; low?: number; high?: number; tolerance?: number }[] = [
  ...(['neg', 'abs', 'sign'] as const).map((name) => ({ name, arity: 1 as const, tolerance: 0 })),
  ...(['add', 'sub', 'mul', 'div', 'max', 'min'] as const).map((name) => ({ name, arity: 2 as const })),
  ...(['equal', 'notEqual', 'less', 'lessEqual'] as const).map((name) => ({ name, arity: 2 as const, tolerance: 0 })),
  { name: 'sqrt', arity: 1, low: 0, high: 1e6 },
  { name: 'exp', arity: 1, low: -87, high: 88 },
  { name: 'expm1', arity: 1, low: -20, high: 20 },
  { name: 'log', arity: 1, low: 0, high: 1e6 },
  { name: 'log1p', arity: 1, low: -0.999, high: 10 },
  { name: 'tanh', arity: 1, low: -12, high: 12 },
  { name: 'sigmoid', arity: 1, low: -80, high: 80 },
  { name: 'erf', arity: 1, low: -5, high: 5 },
  { name: 'pow', arity: 2, low: 0.01, high: 20, tolerance: 1e-5 },
]

/** Every check, in the order in which a new executor is best brought up. */
export const executorChecks: readonly ExecutorCheck[] = [
  {
    name: 'reads back what was written, for every length and dtype',
    run: (executor) =>
      property(fc.tuple(fc.nat({ max: 40 }), seed, fc.boolean()), async ([length, from, integer]) => {
        const data = integer
          ? Int32Array.from(values(length, from, -9, 9))
          : Float32Array.from(values(length, from, -9, 9))
        const buffer = executor.allocate(integer ? 'int32' : 'float32', length)
        executor.write(buffer, data)
        const copy = await executor.read(buffer)
        copy.fill(0)
        compare('read', await executor.read(buffer), data, 0)
        executor.free(buffer)
      }),
  },
  {
    name: 'accounts for live and freed memory, and reuses it',
    run: async (executor) => {
      const before = executor.memory()
      for (let round = 0; round < 50; round++) {
        const buffers = [3, 1000, 0, 17].map((length) => executor.allocate('float32', length))
        expectEqual('live buffers', executor.memory().liveBuffers, before.liveBuffers + 4)
        expectEqual('live bytes', executor.memory().liveBytes, before.liveBytes + 4 * 1020)
        for (const buffer of buffers) executor.free(buffer)
      }
      expectEqual('live buffers after free', executor.memory().liveBuffers, before.liveBuffers)
      expectEqual('live bytes after free', executor.memory().liveBytes, before.liveBytes)
      if (executor.memory().pooledBytes > 50_000) throw new Error(`pool grew to ${executor.memory().pooledBytes} bytes`)
    },
  },
  ...functions.map(({ name, arity, low = -4, high = 4, tolerance = 2e-6 }) => ({
    name: `map computes ${name}`,
    run: (executor: Executor) =>
      property(fc.tuple(fc.nat({ max: 37 }), seed), async ([length, from]) => {
        const inputs = [0, 1]
          .slice(0, arity)
          .map((i) => Float32Array.from(values(length, from + i * 99_991, low, high)))
        const expression = call(name, ...inputs.map((_, index) => input(index)))
        const params = { expression, shape: [length], strides: inputs.map(() => [1]) }
        await agree(executor, 'map', { params, inputs, output: length }, tolerance, 'each')
      }),
  })),
  {
    name: 'map follows IEEE arithmetic for NaN, infinities, zeros and extremes',
    run: async (executor) => {
      const pairs = specials.flatMap((a) => specials.map((b) => [a, b] as const))
      const inputs = [0, 1].map((side) => Float32Array.from(pairs, (pair) => pair[side]))
      for (const { name, arity } of functions) {
        if (name === 'pow') continue
        const expression = call(name, ...inputs.slice(0, arity).map((_, index) => input(index)))
        const params = { expression, shape: [pairs.length], strides: inputs.slice(0, arity).map(() => [1]) }
        await agree(executor, 'map', { params, inputs: inputs.slice(0, arity), output: pairs.length }, 2e-6, 'each')
      }
    },
  },
  {
    name: 'map broadcasts any operands and takes constants and select',
    run: (executor) => {
      const axes = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean(), fc.boolean()), { maxLength: 4 })
      return property(fc.tuple(axes, seed), async ([list, from]) => {
        const shape = list.map(([size]) => size)
        const shapes: Shape[] = [
          list.map(([size, one]) => (one ? 1 : size)),
          list.map(([size, , one]) => (one ? 1 : size)),
          [],
        ]
        const expression: Expression = call(
          'select',
          call('less', input(0), input(1)),
          call('mul', input(0), input(2)),
          constant(0.25),
        )
        const inputs = shapes.map((each, index) => Float32Array.from(values(sizeOf(each), from + index, -2, 2)))
        const params = { expression, shape, strides: shapes.map((each) => broadcastStrides(each, shape)) }
        await agree(executor, 'map', { params, inputs, output: sizeOf(shape) }, 1e-6, 'each')
      })
    },
  },
  {
    name: 'map fills with a constant',
    run: (executor) =>
      property(extent, async (length) => {
        const params = { expression: constant(-2.5), shape: [length], strides: [] }
        await agree(executor, 'map', { params, inputs: [], output: length }, 0, 'each')
      }),
  },
  {
    name: 'copy permutes, reverses, broadcasts and places, leaving other elements alone',
    run: (executor) =>
      property(
        fc.tuple(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 3 }), fc.nat(), fc.boolean(), seed),
        async ([shape, order, reverse, from]) => {
          const size = sizeOf(shape)
          const axes = shape.map((_, axis) => axis).sort((a, b) => ((order >> a) & 1) - ((order >> b) & 1))
          const permuted = axes.map((axis) => shape[axis])
          const strides = axes.map((axis) => stridesOf(shape)[axis])
          const flips = reverse && size > 0
          const params = {
            shape: permuted,
            inputOffset: flips ? size - 1 : 0,
            inputStrides: flips ? strides.map((stride) => -stride) : strides,
            outputOffset: 2,
            outputStrides: stridesOf(permuted).map((stride) => stride * 2),
          }
          const before = Float32Array.from(values(2 * size + 3, from + 1, 5, 6))
          const inputs = [Float32Array.from(values(size, from, -2, 2))]
          await agree(executor, 'copy', { params, inputs, output: before.length, before }, 0, 'each')
          const spread = { ...params, inputOffset: 0, inputStrides: permuted.map(() => 0) }
          if (size > 0)
            await agree(executor, 'copy', { params: spread, inputs, output: before.length, before }, 0, 'each')
        },
      ),
  },
  ...(['sum', 'max', 'min', 'logSumExp', 'argMax'] as const).map((reduction) => ({
    name: `reduce computes ${reduction} of the middle axis`,
    run: (executor: Executor) =>
      property(fc.tuple(extent, extent, extent, seed, fc.boolean()), async ([outer, length, inner, from, special]) => {
        if (reduction === 'argMax' && length === 0) return
        const params = { reduction, outer, length: length * (special ? 1 : 5), inner }
        const x = Float32Array.from(values(outer * params.length * inner, from, -4, 4))
        if (special && x.length > 2)
          x.set([specials[from % specials.length], Number.NEGATIVE_INFINITY], from % (x.length - 1))
        const outputDType = reduction === 'argMax' ? 'int32' : 'float32'
        await agree(executor, 'reduce', { params, inputs: [x], output: outer * inner, outputDType }, 2e-6)
      }),
  })),
  {
    name: 'reduce keeps the precision of long sums',
    run: async (executor) => {
      const length = 100_000
      const x = Float32Array.from(values(length, 1, 0, 1))
      for (const [outer, inner] of [
        [1, 1],
        [1, 4],
        [4, 1],
      ]) {
        const params = { reduction: 'sum' as const, outer, length: length / (outer * inner), inner }
        await agree(executor, 'reduce', { params, inputs: [x], output: outer * inner }, 2e-6)
      }
    },
  },
  ...(['sum', 'logSumExp'] as const).map((scan) => ({
    name: `scan computes running ${scan}, both ways`,
    run: (executor: Executor) =>
      property(fc.tuple(extent, extent, extent, fc.boolean(), seed), async ([outer, length, inner, reverse, from]) => {
        const x = Float32Array.from(values(outer * length * inner, from, -4, 4))
        const params = { scan, reverse, outer, length, inner }
        await agree(executor, 'scan', { params, inputs: [x], output: x.length }, 3e-6)
      }),
  })),
  {
    name: 'the logarithm of softmax keeps its digits near 0, and its ties',
    run: async (executor) => {
      for (const [second, third] of [
        [-6.3, -50],
        [-25.8, -30],
        [-80, -90],
        [0, -7],
        [0, 0],
      ]) {
        for (const shift of [0, 4e4]) {
          const x = Float32Array.of(shift, shift + second, shift + third, Number.NEGATIVE_INFINITY)
          const others = Math.exp(x[1] - x[0]) + Math.exp(x[2] - x[0])
          const want = Float64Array.from(x, (value) => value - x[0] - Math.log1p(others))
          const params = { rows: 1, length: 4, log: true }
          const got = await carryOut(executor, 'float32', 'softmax', { params, inputs: [x], output: 4 })
          compare('softmax', got, want, 3e-6, 'each')
        }
      }
    },
  },
  {
    name: 'softmax and its logarithm, for large and infinite logits too',
    run: (executor) =>
      property(
        fc.tuple(extent, fc.integer({ min: 0, max: 30 }), fc.boolean(), fc.boolean(), seed),
        async ([rows, length, log, extreme, from]) => {
          const x = Float32Array.from(values(rows * length, from, -4, 4), (value) => (extreme ? value * 1e4 : value))
          if (length > 1) for (let row = 0; row < rows; row += 2) x[row * length] = Number.NEGATIVE_INFINITY
          await agree(
            executor,
            'softmax',
            { params: { rows, length, log }, inputs: [x], output: x.length },
            3e-6,
            extreme ? 'each' : 'largest',
          )
        },
      ),
  },
  {
    name: 'matmul multiplies for all transposes, batches and edges',
    run: (executor) => {
      const sizes = fc.tuple(...[0, 0, 0].map(() => fc.integer({ min: 0, max: 21 })))
      const flags = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean())
      return property(
        fc.tuple(sizes, fc.integer({ min: 0, max: 3 }), flags, seed),
        async ([[m, n, k], batches, [transposeA, transposeB, shareA, shareB], from]) => {
          const a = Float32Array.from(values((shareA ? 1 : batches) * m * k, from, -1, 1))
          const b = Float32Array.from(values((shareB ? 1 : batches) * k * n, from + 1, -1, 1))
          const strides = { aStrides: [shareA ? 0 : m * k], bStrides: [shareB ? 0 : k * n] }
          const params = { batch: [batches], ...strides, m, n, k, transposeA, transposeB }
          await agree(executor, 'matmul', { params, inputs: [a, b], output: batches * m * n }, 3e-6)
        },
      )
    },
  },
  {
    name: 'matmul keeps a NaN or infinity in its row and column',
    run: async (executor) => {
      const a = Float32Array.from(values(5 * 7, 1, 1, 2))
      const b = Float32Array.from(values(7 * 11, 2, 1, 2))
      a[9] = Number.NaN
      b[4] = Number.POSITIVE_INFINITY
      const params = { batch: [], aStrides: [], bStrides: [], m: 5, n: 11, k: 7, transposeA: false, transposeB: false }
      await agree(executor, 'matmul', { params, inputs: [a, b], output: 55 }, 3e-6)
    },
  },
  {
    name: 'gather, scatterAdd and oneHot address what the indices say',
    run: (executor) =>
      property(
        fc.tuple(extent, positive, extent, extent, fc.boolean(), seed),
        async ([outer, length, inner, count, rows, from]) => {
          const size = rows ? count : outer * count * inner
          const indexStrides: readonly [number, number, number] = rows ? [0, 1, 0] : [count * inner, inner, 1]
          const params = { outer, length, inner, count, indexStrides }
          const index = Int32Array.from(values(size, from, 0, length), Math.floor)
          const x = Float32Array.from(values(outer * length * inner, from + 1, -1, 1))
          const source = Float32Array.from(values(outer * count * inner, from + 2, -1, 1))
          await agree(executor, 'gather', { params, inputs: [x, index], output: source.length }, 0)
          await agree(executor, 'scatterAdd', { params, inputs: [source, index], output: x.length }, 2e-6)
          const classes = { count: size, classes: length }
          const ignoring = index.map((value, i) => (i % 3 === 2 ? -100 : value))
          await agree(executor, 'oneHot', { params: classes, inputs: [ignoring], output: size * length }, 0)
        },
      ),
  },
  {
    name: 'convolutions and their gradients',
    run: (executor) =>
      property(
        fc.tuple(extent, extent, extent, fc.integer({ min: 1, max: 5 }), seed),
        async ([batch, time, channels, width, from]) => {
          const x = Float32Array.from(values(batch * time * channels, from, -1, 1))
          const w = Float32Array.from(values(channels * width, from + 1, -1, 1))
          const params = { batch, time, channels, width }
          await agree(executor, 'conv1d', { params, inputs: [x, w], output: x.length }, 2e-6)
          await agree(executor, 'conv1dInputGradient', { params, inputs: [x, w], output: x.length }, 2e-6)
          await agree(executor, 'conv1dWeightGradient', { params, inputs: [x, x], output: w.length }, 3e-6)
          const image = { batch, height: time, width: 2, channels, kernelHeight: 3, kernelWidth: 1 }
          const pixels = Float32Array.from(values(batch * time * 2 * channels, from, -1, 1))
          const taps = Float32Array.from(values(channels * 3, from + 1, -1, 1))
          await agree(executor, 'conv2d', { params: image, inputs: [pixels, taps], output: pixels.length }, 2e-6)
          await agree(
            executor,
            'conv2dInputGradient',
            { params: image, inputs: [pixels, taps], output: pixels.length },
            2e-6,
          )
          await agree(
            executor,
            'conv2dWeightGradient',
            { params: image, inputs: [pixels, pixels], output: taps.length },
            3e-6,
          )
        },
      ),
  },
  {
    name: 'solveUnitLower reads strictly below the diagonal only',
    run: (executor) =>
      property(
        fc.tuple(fc.integer({ min: 0, max: 3 }), extent, extent, fc.boolean(), seed),
        async ([batch, n, columns, transpose, from]) => {
          const lower = Float32Array.from(values(batch * n * n, from, -0.5, 0.5))
          lower.forEach((_, at) => {
            if (at % n >= Math.floor(at / n) % n) lower[at] = Number.NaN
          })
          const b = Float32Array.from(values(batch * n * columns, from + 1, -1, 1))
          await agree(
            executor,
            'solveUnitLower',
            { params: { batch, n, columns, transpose }, inputs: [lower, b], output: b.length },
            1e-5,
          )
        },
      ),
  },
]

/** Runs a kernel on the executor, in float32, and on the reference, in float64, and compares. */
async function agree<Name extends CoreKernelName>(
  executor: Executor,
  kernel: Name,
  test: KernelCase<Name>,
  tolerance: number,
  scale: 'largest' | 'each' = 'largest',
): Promise<void> {
  const got = await carryOut(executor, 'float32', kernel, test)
  const want = await carryOut(await reference(), 'float64', kernel, test)
  compare(kernel, got, want, tolerance, scale)
}

async function carryOut<Name extends CoreKernelName>(
  executor: Executor,
  dtype: 'float32' | 'float64',
  kernel: Name,
  { params, inputs, output, outputDType = 'float32', before }: KernelCase<Name>,
): Promise<TypedArray> {
  const place = (type: DType, data: Float32Array | Int32Array): ExecutorBuffer => {
    const buffer = executor.allocate(type, data.length)
    const host = allocateArray(type, data.length)
    host.set(data)
    executor.write(buffer, host)
    return buffer
  }
  const operands = inputs.map((data) => place(data instanceof Int32Array ? 'int32' : dtype, data))
  const type = outputDType === 'int32' ? 'int32' : dtype
  const result = before === undefined ? executor.allocate(type, output) : place(type, before)
  executor.run(kernel, operands, [result], params)
  const data = await executor.read(result)
  for (const buffer of [...operands, result]) executor.free(buffer)
  return data
}

/** @throws Error naming the worst element when one is further off than the tolerance, relative to `scale`. */
function compare(
  what: string,
  got: TypedArray,
  want: TypedArray,
  tolerance: number,
  scale: 'largest' | 'each' = 'largest',
): void {
  expectEqual(`${what}: length`, got.length, want.length)
  let most = 0
  for (const value of want) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value))
  for (let at = 0; at < want.length; at++) {
    const wanted = Math.fround(want[at])
    if (Object.is(got[at], wanted) || got[at] === wanted) continue
    const unit = scale === 'each' ? Math.abs(want[at]) : most
    // below the smallest normal float32, executors may round to 0
    if (Math.abs(got[at] - want[at]) <= tolerance * unit + 1.2e-38) continue
    throw new Error(`${what}: element ${at} of ${want.length} is ${got[at]} but must be ${wanted}`)
  }
}

function expectEqual(what: string, got: number, want: number): void {
  if (got !== want) throw new Error(`${what} is ${got} but must be ${want}`)
}

function property<T>(arbitrary: fc.Arbitrary<T>, predicate: (value: T) => Promise<void>): Promise<void> {
  return fc.assert(fc.asyncProperty(arbitrary, predicate), { numRuns: 40 })
}

function values(length: number, from: number, low: number, high: number): Float64Array {
  const generator = randomGenerator(from)
  return new Float64Array(length).map(() => low + (high - low) * generator.uniform())
}
