const pageBytes = 65536
const maximumPages = 65536

/**
 * One growing WebAssembly memory, cut into blocks of power-of-two sizes (with three steps between, so that at most a
 * quarter is wasted). Freed blocks wait in a list per size. Each block is followed by 64 bytes that kernels may read
 * and write past its end.
 */
export class BlockMemory {
  readonly memory: WebAssembly.Memory
  readonly #maximumBytes: number
  readonly #free = new Map<number, number[]>()
  #floats: Float32Array
  #integers: Int32Array
  #end = 64
  #pooledBytes = 0

  constructor(maximumBytes: number) {
    this.#maximumBytes = Math.min(maximumBytes, maximumPages * pageBytes)
    this.memory = new WebAssembly.Memory({ initial: 16, maximum: Math.floor(this.#maximumBytes / pageBytes) })
    this.#floats = new Float32Array(this.memory.buffer)
    this.#integers = new Int32Array(this.memory.buffer)
  }

  /** Memory as float32; a new view after the memory has grown. */
  get floats(): Float32Array {
    return this.#floats
  }

  get integers(): Int32Array {
    return this.#integers
  }

  get pooledBytes(): number {
    return this.#pooledBytes
  }

  /** Byte address of a block. @throws Error naming the bytes when memory cannot grow far enough. */
  allocate(bytes: number): number {
    const size = blockSize(bytes)
    const reused = this.#free.get(size)?.pop()
    if (reused !== undefined) {
      this.#pooledBytes -= size
      return reused
    }
    const address = this.#end
    this.#reserve(address + size, bytes)
    this.#end = address + size
    return address
  }

  release(address: number, bytes: number): void {
    const size = blockSize(bytes)
    const list = this.#free.get(size)
    if (list === undefined) this.#free.set(size, [address])
    else list.push(address)
    this.#pooledBytes += size
  }

  #reserve(end: number, bytes: number): void {
    const have = this.memory.buffer.byteLength
    if (end <= have) return
    const wanted = Math.max(end, Math.min(2 * have, have + 2 ** 28, this.#maximumBytes))
    try {
      if (end > this.#maximumBytes) throw new RangeError('over the limit')
      this.memory.grow(Math.ceil((wanted - have) / pageBytes))
    } catch {
      throw new Error(
        `wasm: out of memory: ${bytes} bytes asked for, ${this.#end} in use or in reserve, limit ${this.#maximumBytes}`,
      )
    }
    this.#floats = new Float32Array(this.memory.buffer)
    this.#integers = new Int32Array(this.memory.buffer)
  }
}

function blockSize(bytes: number): number {
  const needed = Math.max(bytes, 64)
  const step = Math.max(64, 2 ** (Math.floor(Math.log2(needed)) - 2))
  return Math.ceil(needed / step) * step + 64
}
