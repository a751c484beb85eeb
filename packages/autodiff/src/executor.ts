import type { DType, FloatDType, TypedArray } from './dtype.ts'
import type { Expression } from './expression.ts'
import type { AxisView, Shape } from './shape.ts'

/**
 * The executor contract.
 *
 * An executor owns memory and runs named kernels on it. It knows nothing of shapes beyond what a kernel's parameters
 * say, nothing of gradients, tapes or scopes, and nothing of mixers. Rules:
 *
 * - Arguments were checked above: shapes fit, dtypes fit, indices are in range, buffers are live and its own.
 * - Buffers are contiguous and row-major. Fresh buffers hold arbitrary values. Outputs never alias inputs.
 * - Calls take effect in order. `run` may only enqueue; `read` waits for what was enqueued before it.
 * - A floating kernel has all floating operands of one dtype, which is one of `dtypes`; indices are `int32`.
 * - Any extent may be 0. A kernel with nothing to write does nothing; a sum over nothing is 0, a max -Infinity,
 *   a min Infinity, a logSumExp -Infinity.
 * - `NaN` and infinities are data: they follow IEEE arithmetic and reach only what they are mathematically part of.
 * - A `run` or `allocate` that throws leaves the executor usable and earlier buffers intact.
 */
export interface Executor<B extends ExecutorBuffer = ExecutorBuffer> {
  /** Names the executor in messages and reports, and selects implementations of fused kernels: `reference`, `wasm`… */
  readonly name: string
  /** Floating dtypes it computes in; the first is its default. */
  readonly dtypes: readonly FloatDType[]
  /** @throws Error naming the bytes asked for when memory is exhausted. */
  allocate(dtype: DType, length: number): B
  /** Copies host values into a buffer of the same dtype and length. */
  write(buffer: B, data: TypedArray): void
  /** A fresh host copy of a buffer, after all work enqueued before. */
  read(buffer: B): Promise<TypedArray>
  /** Gives a buffer back to the pool. The caller never touches it again. */
  free(buffer: B): void
  /** Runs a core kernel. */
  run<Name extends CoreKernelName>(
    kernel: Name,
    inputs: readonly B[],
    outputs: readonly B[],
    params: CoreKernels[Name],
  ): void
  /** Whether `runFused` can run this kernel. */
  supports(kernel: FusedKernel): boolean
  /** Runs a kernel that a package brought along. */
  runFused(kernel: FusedKernel, inputs: readonly B[], outputs: readonly B[], params: FusedParams): void
  /** Resolves when everything enqueued has been carried out. */
  flush(): Promise<void>
  /** Memory in use and in reserve. */
  memory(): ExecutorMemory
  /** Releases all memory. The executor cannot be used afterwards; giving back buffers is then allowed and does nothing. */
  close(): void
}

/** A piece of executor memory. Executors extend it with what they need to find it. */
export interface ExecutorBuffer {
  readonly dtype: DType
  readonly length: number
}

/** Bytes held by live buffers, their number, and bytes kept in the pool for reuse. */
export interface ExecutorMemory {
  readonly liveBytes: number
  readonly liveBuffers: number
  readonly pooledBytes: number
}

/**
 * A kernel that a package ships: a name and one implementation per executor that has one, keyed by executor name.
 * What an implementation is, each executor defines (its entry point exports the type). Where an executor has none,
 * the caller runs the composition of ops instead.
 */
export interface FusedKernel {
  readonly name: string
  readonly implementations: Readonly<Record<string, unknown>>
}

/** Shapes and scalars of a fused kernel. */
export type FusedParams = Readonly<Record<string, number | boolean>>

export type CoreKernelName = keyof CoreKernels

/** The kernels every executor has, with their parameters. Operands are named in each comment: inputs → outputs. */
export interface CoreKernels {
  /** Elementwise: operands… → out. `strides[i]` are operand i's element strides along `shape`, 0 where it broadcasts. */
  readonly map: {
    readonly expression: Expression
    readonly shape: Shape
    readonly strides: readonly (readonly number[])[]
  }
  /** Strided copy: x → y. `y[outputOffset + Σ i·outputStrides] = x[inputOffset + Σ i·inputStrides]` for i in `shape`; other elements of y stay. */
  readonly copy: {
    readonly shape: Shape
    readonly inputOffset: number
    readonly inputStrides: readonly number[]
    readonly outputOffset: number
    readonly outputStrides: readonly number[]
  }
  /** Reduction of the middle axis: x [outer, length, inner] → y [outer, inner] (`int32` for argMax; ties and NaN: the first). */
  readonly reduce: AxisView & { readonly reduction: 'sum' | 'max' | 'min' | 'logSumExp' | 'argMax' }
  /** Inclusive scan of the middle axis: x → y, both [outer, length, inner]. */
  readonly scan: AxisView & { readonly scan: 'sum' | 'logSumExp'; readonly reverse: boolean }
  /** Softmax of rows, or its logarithm: x [rows, length] → y. A row of -Infinity gives NaN. */
  readonly softmax: { readonly rows: number; readonly length: number; readonly log: boolean }
  /**
   * a, b → c [...batch, m, n]. a is [m, k] ([k, m] if transposeA) at `aStrides` over the batch axes, in elements;
   * b is [k, n] ([n, k] if transposeB) at `bStrides`; stride 0 broadcasts. k = 0 gives zeros.
   */
  readonly matmul: {
    readonly batch: Shape
    readonly aStrides: readonly number[]
    readonly bStrides: readonly number[]
    readonly m: number
    readonly n: number
    readonly k: number
    readonly transposeA: boolean
    readonly transposeB: boolean
  }
  /** x [outer, length, inner], index → y [outer, count, inner]: `y[o,c,i] = x[o, index[o·s0 + c·s1 + i·s2], i]`, s = indexStrides. */
  readonly gather: GatherParams
  /** source [outer, count, inner], index → y [outer, length, inner], zeroed first: `y[o, index[…], i] += source[o,c,i]`, in order of c. */
  readonly scatterAdd: GatherParams
  /** index [count] → y [count, classes] of zeros, with 1 at [c, index[c]] where that is in range. */
  readonly oneHot: { readonly count: number; readonly classes: number }
  /** Causal depthwise convolution: x [batch, time, channels], w [channels, width] → y: `y[t] = Σ_j w[j]·x[t − width + 1 + j]`. */
  readonly conv1d: Conv1dParams
  /** dy [batch, time, channels], w → dx. */
  readonly conv1dInputGradient: Conv1dParams
  /** x, dy → dw [channels, width]. */
  readonly conv1dWeightGradient: Conv1dParams
  /** Depthwise, zero padding that keeps the size: x [batch, height, width, channels], w [channels, kernelHeight, kernelWidth] → y; kernel extents are odd. */
  readonly conv2d: Conv2dParams
  /** dy, w → dx. */
  readonly conv2dInputGradient: Conv2dParams
  /** x, dy → dw. */
  readonly conv2dWeightGradient: Conv2dParams
  /**
   * Unit triangular solve: L [batch, n, n], b [batch, n, columns] → x with (I + strict(L)) x = b. Only the strictly lower
   * part of L is read. `transpose` solves (I + strict(L))ᵀ x = b.
   */
  readonly solveUnitLower: {
    readonly batch: number
    readonly n: number
    readonly columns: number
    readonly transpose: boolean
  }
}

export interface GatherParams extends AxisView {
  readonly count: number
  readonly indexStrides: readonly [number, number, number]
}

export interface Conv1dParams {
  readonly batch: number
  readonly time: number
  readonly channels: number
  readonly width: number
}

export interface Conv2dParams {
  readonly batch: number
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly kernelHeight: number
  readonly kernelWidth: number
}
