import type { DType } from './dtype.ts'
import type { Executor, ExecutorBuffer } from './executor.ts'

/**
 * A reference-counted executor buffer. Counting is internal: a tensor made in a scope is held by the scope, a tensor
 * a tape needs is held by the tape, and the buffer returns to the executor's pool with the last of them.
 */
export class Storage {
  readonly executor: Executor
  readonly dtype: DType
  readonly length: number
  #buffer: ExecutorBuffer | undefined
  #holders = 0

  constructor(executor: Executor, dtype: DType, length: number) {
    this.executor = executor
    this.dtype = dtype
    this.length = length
    this.#buffer = executor.allocate(dtype, length)
  }

  get freed(): boolean {
    return this.#buffer === undefined
  }

  /** @throws Error when the last holder has let go. */
  get buffer(): ExecutorBuffer {
    if (this.#buffer === undefined) throw new Error('storage was used after its last holder released it')
    return this.#buffer
  }

  retain(): void {
    this.#holders++
  }

  release(): void {
    this.#holders--
    if (this.#holders > 0 || this.#buffer === undefined) return
    this.executor.free(this.#buffer)
    this.#buffer = undefined
  }
}
