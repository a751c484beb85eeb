import { currentExecutor } from './context.ts'
import type { ExecutorMemory } from './executor.ts'

/** Bytes and number of live buffers of the executor in use, and bytes it keeps in reserve. */
export function memory(): ExecutorMemory {
  return currentExecutor().memory()
}
