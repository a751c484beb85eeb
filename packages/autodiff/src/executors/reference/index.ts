import type { DType, TypedArray } from '../../dtype.ts'
import { allocateArray, bytesPerElement } from '../../dtype.ts'
import type {
  CoreKernelName,
  CoreKernels,
  Executor,
  ExecutorBuffer,
  ExecutorMemory,
  FusedKernel,
  FusedParams,
} from '../../executor.ts'
import { referenceKernels } from './kernels.ts'

/** An implementation of a fused kernel for the reference executor: fills the outputs. */
export type ReferenceKernel = (
  inputs: readonly TypedArray[],
  outputs: readonly TypedArray[],
  params: FusedParams,
) => void

/**
 * The oracle: every kernel as a plain loop that can be checked by eye, in float32 or float64. Sums are carried in
 * float64 and rounded once, when stored.
 */
export async function reference(): Promise<Executor> {
  return new ReferenceExecutor()
}

class ReferenceBuffer implements ExecutorBuffer {
  readonly dtype: DType
  readonly length: number
  data: TypedArray | undefined

  constructor(dtype: DType, length: number, data: TypedArray) {
    this.dtype = dtype
    this.length = length
    this.data = data
  }
}

class ReferenceExecutor implements Executor<ReferenceBuffer> {
  readonly name = 'reference'
  readonly dtypes = ['float32', 'float64'] as const
  readonly #pool = new Map<string, TypedArray[]>()
  #live = new Set<ReferenceBuffer>()
  #pooledBytes = 0
  #closed = false

  allocate(dtype: DType, length: number): ReferenceBuffer {
    const pooled = this.#pool.get(`${dtype}/${length}`)?.pop()
    if (pooled !== undefined) this.#pooledBytes -= length * bytesPerElement(dtype)
    const buffer = new ReferenceBuffer(dtype, length, pooled ?? allocateArray(dtype, length))
    this.#live.add(buffer)
    return buffer
  }

  write(buffer: ReferenceBuffer, data: TypedArray): void {
    contents(buffer).set(data)
  }

  async read(buffer: ReferenceBuffer): Promise<TypedArray> {
    return contents(buffer).slice()
  }

  free(buffer: ReferenceBuffer): void {
    if (this.#closed) return
    const data = contents(buffer)
    buffer.data = undefined
    this.#live.delete(buffer)
    const key = `${buffer.dtype}/${buffer.length}`
    const pooled = this.#pool.get(key)
    if (pooled === undefined) this.#pool.set(key, [data])
    else pooled.push(data)
    this.#pooledBytes += data.byteLength
  }

  run<Name extends CoreKernelName>(
    kernel: Name,
    inputs: readonly ReferenceBuffer[],
    outputs: readonly ReferenceBuffer[],
    params: CoreKernels[Name],
  ): void {
    referenceKernels[kernel](inputs.map(contents), outputs.map(contents), params)
  }

  supports(kernel: FusedKernel): boolean {
    return typeof kernel.implementations[this.name] === 'function'
  }

  runFused(
    kernel: FusedKernel,
    inputs: readonly ReferenceBuffer[],
    outputs: readonly ReferenceBuffer[],
    params: FusedParams,
  ): void {
    const implementation = kernel.implementations[this.name]
    if (!isReferenceKernel(implementation)) throw new Error(`${kernel.name}: has no implementation for ${this.name}`)
    implementation(inputs.map(contents), outputs.map(contents), params)
  }

  async flush(): Promise<void> {}

  memory(): ExecutorMemory {
    let liveBytes = 0
    for (const { dtype, length } of this.#live) liveBytes += length * bytesPerElement(dtype)
    return { liveBytes, liveBuffers: this.#live.size, pooledBytes: this.#pooledBytes }
  }

  close(): void {
    this.#closed = true
    for (const buffer of this.#live) buffer.data = undefined
    this.#live = new Set()
    this.#pool.clear()
    this.#pooledBytes = 0
  }
}

function contents(buffer: ReferenceBuffer): TypedArray {
  if (buffer.data === undefined) throw new Error('reference: buffer was used after it was freed')
  return buffer.data
}

function isReferenceKernel(value: unknown): value is ReferenceKernel {
  return typeof value === 'function'
}
