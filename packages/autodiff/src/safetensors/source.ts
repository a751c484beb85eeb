/** Random access to the bytes of a file, so that files larger than memory can be read tensor by tensor. */
export interface SafetensorsSource {
  /** Bytes of the whole file. */
  readonly size: number
  /** The bytes [start, end), `end - start` of them; not written to afterwards by the source. */
  read(start: number, end: number): Promise<Uint8Array>
}

/**
 * A source over what holds a file.
 * @throws TypeError when `from` is none of the three.
 */
export function toSource(from: Blob | Uint8Array | SafetensorsSource): SafetensorsSource {
  if (from instanceof Uint8Array) {
    return { size: from.length, read: async (start, end) => new Uint8Array(from.subarray(start, end)) }
  }
  if (from instanceof Blob) {
    return { size: from.size, read: async (start, end) => new Uint8Array(await from.slice(start, end).arrayBuffer()) }
  }
  if (typeof from !== 'object' || from === null || typeof from.read !== 'function') {
    throw new TypeError('openSafetensors: source must be a Blob, a Uint8Array or { size, read(start, end) }')
  }
  if (!Number.isSafeInteger(from.size) || from.size < 0) {
    throw new TypeError(`openSafetensors: source.size is ${from.size} but must be a non-negative integer`)
  }
  return from
}

/**
 * The bytes [start, end) of a source, never fewer.
 * @throws Error when the source gives another number of bytes; whatever `source.read` throws.
 */
export async function readBytes(source: SafetensorsSource, start: number, end: number): Promise<Uint8Array> {
  if (start === end) return new Uint8Array(0)
  const bytes = await source.read(start, end)
  if (bytes.length === end - start) return bytes
  throw new Error(`safetensors: the source gave ${bytes.length} bytes for [${start}, ${end}); it must give all of them`)
}
