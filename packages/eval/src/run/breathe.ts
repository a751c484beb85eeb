import { setImmediate } from 'node:timers/promises'

/** Thrown at the next step after a run was asked to stop. */
export class Stopped extends Error {
  constructor() {
    super('stopped on request')
    this.name = 'Stopped'
  }
}

/**
 * Lets messages and signals in between two steps of a computation that never waits by itself.
 * @throws Stopped when the signal says so.
 */
export async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate()
  if (signal?.aborted) throw new Stopped()
}
