import { type FunctionBuilder, moduleBytes } from './assembler.ts'

/** A compiled kernel: i32 arguments, addresses in bytes. */
export type Compiled = (...args: number[]) => void

/** Compiles kernels over one memory and keeps them by key. */
export class Modules {
  readonly #memory: WebAssembly.Memory
  readonly #relaxed = hasRelaxedSimd()
  readonly #compiled = new Map<string, Compiled>()

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory
  }

  /** The kernel of this key, written by `write` when it is asked for first. */
  get(key: string, parameterCount: number, write: (f: FunctionBuilder) => void): Compiled {
    const known = this.#compiled.get(key)
    if (known !== undefined) return known
    const module = new WebAssembly.Module(moduleBytes(parameterCount, this.#relaxed, write))
    const { run } = new WebAssembly.Instance(module, { env: { memory: this.#memory, pow: Math.pow } }).exports
    if (!isCompiled(run)) throw new Error(`wasm: module ${key} exports no function`)
    this.#compiled.set(key, run)
    return run
  }
}

/** Whether the engine has fused multiply-add; Node 20 has it behind a flag only. */
function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(
    moduleBytes(1, true, (f) => {
      const x = f.constant(1)
      f.multiplyAdd(x, x, x)
    }),
  )
}

function isCompiled(value: unknown): value is Compiled {
  return typeof value === 'function'
}
