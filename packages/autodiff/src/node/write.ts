import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { encodeSafetensors, type SafetensorsTensor, type SafetensorsWriteOptions } from '../safetensors/write.ts'
import type { Tensor } from '../tensor.ts'

/**
 * Writes a safetensors file whole or not at all: to a temporary name in the same directory, flushed to disk, then
 * renamed. On failure the temporary file is removed and a file that was at `path` is still there as it was.
 * @throws what {@link encodeSafetensors} throws, before anything is written where it can; the file system's errors.
 */
export async function writeSafetensorsFile(
  path: string,
  tensors: Readonly<Record<string, Tensor | SafetensorsTensor>>,
  options: SafetensorsWriteOptions = {},
): Promise<void> {
  const pieces = encodeSafetensors(tensors, options)
  const temporary = join(dirname(path), `.safetensors-${randomUUID()}.tmp`)
  try {
    await writeThrough(temporary, pieces)
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw cause
  }
}

async function writeThrough(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await open(path, 'wx')
  try {
    for await (const piece of pieces) await handle.writeFile(piece) // continues where the last one ended
    await handle.sync()
  } finally {
    await handle.close()
  }
}
