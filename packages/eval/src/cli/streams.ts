import type { Writable } from 'node:stream'
import pico from 'picocolors'

/** Where the command line writes: results to `stdout`, progress and errors to `stderr`. */
export interface Streams {
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean }
}

export type Colours = ReturnType<typeof pico.createColors>

/** Colours for a stream: none in a pipe. */
export function coloursFor(stream: Streams['stdout']): Colours {
  return pico.createColors(stream.isTTY === true && pico.isColorSupported)
}

/** The command cannot be carried out as it was given: exit code 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError'
}
