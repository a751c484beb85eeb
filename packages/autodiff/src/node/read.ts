import { type FileHandle, open } from 'node:fs/promises'
import { checkHost } from '../safetensors/format.ts'
import { readHeader, type SafetensorsHeader } from '../safetensors/header.ts'
import { SafetensorsFile } from '../safetensors/read.ts'
import type { SafetensorsSource } from '../safetensors/source.ts'

/**
 * Opens a safetensors file on disk and reads its header; tensors are read from disk when they are asked for. Close it,
 * or hold it with `await using`.
 * @throws Error naming the path and what is malformed; the file system's error when it cannot be opened.
 */
export async function openSafetensorsFile(path: string): Promise<OpenSafetensorsFile> {
  checkHost()
  const handle = await open(path, 'r')
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new Error('is no regular file')
    const source = { size: stats.size, read: (start: number, end: number) => readRange(handle, start, end) }
    return new OpenSafetensorsFile(source, await readHeader(source), handle)
  } catch (cause) {
    await handle.close()
    throw new Error(`${path}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

/** A safetensors file on disk, made by {@link openSafetensorsFile}. */
export class OpenSafetensorsFile extends SafetensorsFile implements AsyncDisposable {
  readonly #handle: FileHandle

  /** Internal: use {@link openSafetensorsFile}. */
  constructor(source: SafetensorsSource, header: SafetensorsHeader, handle: FileHandle) {
    super(source, header)
    this.#handle = handle
  }

  /** Closes the file once reads under way are done. Reading afterwards is an error; closing again is not. */
  close(): Promise<void> {
    return this.#handle.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** One read of the operating system takes less than 2 GiB. */
const maximumRead = 2 ** 30

async function readRange(handle: FileHandle, start: number, end: number): Promise<Uint8Array> {
  if (handle.fd < 0) throw new Error('safetensors: the file was read after it was closed')
  const bytes = new Uint8Array(end - start)
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(bytes.length - done, maximumRead)
    const { bytesRead } = await handle.read(bytes, done, length, start + done)
    if (bytesRead === 0)
      throw new Error(`safetensors: the file now ends at byte ${start + done}; it was cut after opening`)
    done += bytesRead
  }
  return bytes
}
