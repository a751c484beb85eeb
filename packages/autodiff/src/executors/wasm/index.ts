import { bytesPerElement, type DType, type TypedArray } from '../../dtype.ts'
import type {
  CoreKernelName,
  CoreKernels,
  Executor,
  ExecutorBuffer,
  ExecutorMemory,
  FusedKernel,
  FusedParams,
} from '../../executor.ts'
import { referenceKernels } from '../reference/kernels.ts'
import { runConv1d } from './convolution.ts'
import { runCopy } from './copy.ts'
import { runMap } from './map.ts'
import { runMatmul } from './matmul.ts'
import { BlockMemory } from './memory.ts'
import { Modules } from './modules.ts'
import { runColumnReduce, runRowReduce, runSoftmax } from './reduce.ts'

export interface WasmOptions {
  /** Limit on memory, in bytes. Default and highest: 4 GiB. */
  readonly maximumBytes?: number
}

/**
 * An implementation of a fused kernel for this executor: views of the operands in WebAssembly memory, in order.
 */
export type WasmKernel = (inputs: readonly TypedArray[], outputs: readonly TypedArray[], params: FusedParams) => void

/**
 * Float32 on the CPU, in Node and in browsers: WebAssembly SIMD emitted at run time, with fused multiply-add where the
 * engine has it. Kernels that are rarely hot run as plain loops over the same memory.
 * @throws Error when the engine has no WebAssembly SIMD.
 */
export async function wasm(options: WasmOptions = {}): Promise<Executor> {
  return new WasmExecutor(options)
}

class WasmBuffer implements ExecutorBuffer {
  readonly dtype: DType
  readonly length: number
  /** In bytes; undefined once freed. */
  address: number | undefined

  constructor(dtype: DType, length: number, address: number) {
    this.dtype = dtype
    this.length = length
    this.address = address
  }
}

class WasmExecutor implements Executor<WasmBuffer> {
  readonly name = 'wasm'
  readonly dtypes = ['float32'] as const
  readonly #memory: BlockMemory
  readonly #modules: Modules
  #liveBytes = 0
  #liveBuffers = 0
  #closed = false

  constructor({ maximumBytes = 2 ** 32 }: WasmOptions) {
    this.#memory = new BlockMemory(maximumBytes)
    this.#modules = new Modules(this.#memory.memory)
  }

  allocate(dtype: DType, length: number): WasmBuffer {
    if (dtype === 'float64') throw new TypeError('wasm: computes in float32 only, float64 was asked for')
    const bytes = length * bytesPerElement(dtype)
    const buffer = new WasmBuffer(dtype, length, this.#memory.allocate(bytes))
    this.#liveBytes += bytes
    this.#liveBuffers++
    return buffer
  }

  write(buffer: WasmBuffer, data: TypedArray): void {
    this.#view(buffer).set(data)
  }

  async read(buffer: WasmBuffer): Promise<TypedArray> {
    return this.#view(buffer).slice()
  }

  free(buffer: WasmBuffer): void {
    if (this.#closed) return
    const bytes = buffer.length * bytesPerElement(buffer.dtype)
    this.#memory.release(addressOf(buffer), bytes)
    buffer.address = undefined
    this.#liveBytes -= bytes
    this.#liveBuffers--
  }

  run<Name extends CoreKernelName>(
    kernel: Name,
    inputs: readonly WasmBuffer[],
    outputs: readonly WasmBuffer[],
    params: CoreKernels[Name],
  ): void {
    const call: KernelCall = { kernel, inputs, outputs, params } as KernelCall
    if (this.#runFast(call)) return
    referenceKernels[kernel](
      inputs.map((buffer) => this.#view(buffer)),
      outputs.map((buffer) => this.#view(buffer)),
      params,
    )
  }

  supports(kernel: FusedKernel): boolean {
    return typeof kernel.implementations[this.name] === 'function'
  }

  runFused(
    kernel: FusedKernel,
    inputs: readonly WasmBuffer[],
    outputs: readonly WasmBuffer[],
    params: FusedParams,
  ): void {
    const implementation = kernel.implementations[this.name]
    if (!isWasmKernel(implementation)) throw new Error(`${kernel.name}: has no implementation for ${this.name}`)
    implementation(
      inputs.map((buffer) => this.#view(buffer)),
      outputs.map((buffer) => this.#view(buffer)),
      params,
    )
  }

  async flush(): Promise<void> {}

  memory(): ExecutorMemory {
    return { liveBytes: this.#liveBytes, liveBuffers: this.#liveBuffers, pooledBytes: this.#memory.pooledBytes }
  }

  close(): void {
    this.#closed = true
    this.#liveBytes = 0
    this.#liveBuffers = 0
  }

  /** Runs the kernel in WebAssembly if there is one for these parameters. */
  #runFast({ kernel, inputs, outputs, params }: KernelCall): boolean {
    const [x, y] = inputs.map(addressOf)
    const output = addressOf(outputs[0])
    switch (kernel) {
      case 'map':
        runMap(this.#modules, params, inputs.map(addressOf), output)
        return true
      case 'matmul':
        runMatmul(this.#memory, this.#modules, params, x, y, output)
        return true
      case 'copy':
        runCopy(this.#modules, params, x, output)
        return true
      case 'conv1d':
      case 'conv1dInputGradient':
      case 'conv1dWeightGradient':
        if (params.channels % 4 !== 0) return false
        runConv1d(this.#memory, this.#modules, kernel, params, [x, y], output)
        return true
      case 'reduce': {
        const { reduction, length, inner } = params
        if (reduction === 'argMax' || reduction === 'logSumExp') return false
        if (inner === 1) runRowReduce(this.#modules, { ...params, reduction }, x, output)
        else if (inner % 4 === 0 && length > 0) runColumnReduce(this.#modules, { ...params, reduction }, x, output)
        else return false
        return true
      }
      case 'softmax':
        if (params.length % 4 !== 0 || params.length === 0) return false
        runSoftmax(this.#modules, params, x, output)
        return true
      default:
        return false
    }
  }

  #view(buffer: WasmBuffer): Float32Array | Int32Array {
    const start = addressOf(buffer) / 4
    const heap = buffer.dtype === 'int32' ? this.#memory.integers : this.#memory.floats
    return heap.subarray(start, start + buffer.length)
  }
}

/** A kernel with its own parameters. */
type KernelCall = {
  readonly [Name in CoreKernelName]: {
    readonly kernel: Name
    readonly inputs: readonly WasmBuffer[]
    readonly outputs: readonly WasmBuffer[]
    readonly params: CoreKernels[Name]
  }
}[CoreKernelName]

function addressOf(buffer: WasmBuffer): number {
  if (buffer.address === undefined) throw new Error('wasm: buffer was used after it was freed')
  return buffer.address
}

function isWasmKernel(value: unknown): value is WasmKernel {
  return typeof value === 'function'
}
