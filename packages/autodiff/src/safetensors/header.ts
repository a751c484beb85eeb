import { formatShape, type Shape } from '../shape.ts'
import {
  isSafetensorsDType,
  maximumHeaderBytes,
  metadataKey,
  quote,
  type SafetensorsDType,
  storageOrder,
  storedBytes,
} from './format.ts'
import { type Json, parseJson } from './json.ts'
import { readBytes, type SafetensorsSource } from './source.ts'

/** Where and how a tensor is stored. */
export interface SafetensorsEntry {
  readonly dtype: SafetensorsDType
  readonly shape: Shape
  /** First byte within the data section. */
  readonly start: number
  /** One past the last byte within the data section. */
  readonly end: number
}

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>
  /** By name, in the order of their bytes. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>
  /** First byte of the data section within the file. */
  readonly dataStart: number
}

/**
 * Reads and checks everything in front of the data: an unsigned 64-bit little-endian length N, then N bytes of JSON.
 * Afterwards every entry's shape, type and place are known to fit together and to cover the data section exactly.
 * @throws Error naming what is malformed, before anything of a claimed size is read or allocated.
 */
export async function readHeader(source: SafetensorsSource): Promise<SafetensorsHeader> {
  const dataStart = await readDataStart(source)
  const header = parseHeader(await readBytes(source, 8, dataStart))
  const metadata = header.get(metadataKey)
  header.delete(metadataKey)
  const entries = [...header].map(([name, value]): [string, SafetensorsEntry] => [name, checkEntry(name, value)])
  entries.sort(([, a], [, b]) => a.start - b.start || a.end - b.end)
  checkCover(entries, source.size - dataStart)
  return { metadata: checkMetadata(metadata), entries: new Map(entries), dataStart }
}

async function readDataStart(source: SafetensorsSource): Promise<number> {
  if (source.size < 8) throw malformed(`the file has ${source.size} bytes but the header length alone takes 8`)
  const prefix = await readBytes(source, 0, 8)
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true)
  if (length > maximumHeaderBytes) {
    throw malformed(`the header length is ${length} but must be at most ${maximumHeaderBytes} bytes`)
  }
  const dataStart = 8 + Number(length)
  if (dataStart > source.size) {
    throw malformed(`the header length is ${length} but only ${source.size - 8} bytes follow it`)
  }
  return dataStart
}

function parseHeader(bytes: Uint8Array): Map<string, Json> {
  if (bytes[0] !== 0x7b) throw malformed("the header must begin with '{'")
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(bytes))
  } catch (cause) {
    throw malformed('the header is not valid UTF-8', { cause })
  }
  try {
    const header = parseJson(text)
    if (header instanceof Map) return header
  } catch (cause) {
    throw malformed(`the header is not valid JSON: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
  throw malformed('the header must be a JSON object')
}

function checkMetadata(value: Json | undefined): Readonly<Record<string, string>> {
  const metadata: Record<string, string> = Object.create(null)
  if (value === undefined) return metadata
  if (!(value instanceof Map)) throw malformed(`${metadataKey} is ${describe(value)} but must be an object of strings`)
  for (const [key, text] of value) {
    if (typeof text !== 'string') {
      throw malformed(`${metadataKey}: ${quote(key)} is ${describe(text)} but must be a string`)
    }
    metadata[key] = text
  }
  return metadata
}

function checkEntry(name: string, value: Json): SafetensorsEntry {
  const tensor = `tensor ${quote(name)}`
  if (!(value instanceof Map)) {
    throw malformed(`${tensor} is ${describe(value)} but must be an object with dtype, shape and data_offsets`)
  }
  const dtype = value.get('dtype')
  if (!isSafetensorsDType(dtype)) {
    throw malformed(`${tensor}: dtype is ${describe(dtype)} but must be one of ${storageOrder.join(', ')}`)
  }
  const shape = checkNaturals(`${tensor}: shape`, value.get('shape'))
  const offsets = checkNaturals(`${tensor}: data_offsets`, value.get('data_offsets'))
  const [start, end] = offsets
  if (offsets.length !== 2) throw malformed(`${tensor}: data_offsets has ${offsets.length} items but must have 2`)
  if (start > end) throw malformed(`${tensor}: data_offsets are reversed: [${start}, ${end}]`)
  const bytes = byteLength(tensor, dtype, shape)
  if (end - start !== bytes) {
    throw malformed(
      `${tensor}: data_offsets [${start}, ${end}] hold ${end - start} bytes but ${dtype} ${formatShape(shape)} takes ${bytes}`,
    )
  }
  return { dtype, shape, start, end }
}

function checkNaturals(what: string, value: Json | undefined): number[] {
  if (!Array.isArray(value)) throw malformed(`${what} is ${describe(value)} but must be an array of integers`)
  return value.map((item, index) => {
    if (typeof item === 'object' && item !== null && 'literal' in item && /^\d{1,16}$/.test(item.literal)) {
      const natural = Number(item.literal)
      if (Number.isSafeInteger(natural)) return natural
    }
    throw malformed(
      `${what}[${index}] is ${describe(item)} but must be an integer from 0 to ${Number.MAX_SAFE_INTEGER}`,
    )
  })
}

/** As upstream, refuses a product that leaves the exact integers even if a later extent is 0. */
function byteLength(tensor: string, dtype: SafetensorsDType, shape: Shape): number {
  let bytes = storedBytes(dtype)
  for (const extent of shape) {
    bytes *= extent
    if (!Number.isSafeInteger(bytes))
      throw malformed(`${tensor}: ${dtype} ${formatShape(shape)} is too large to address`)
  }
  return bytes
}

/** `entries` in the order of their bytes must follow each other from the first byte of the data to the last. */
function checkCover(entries: readonly [string, SafetensorsEntry][], dataBytes: number): void {
  let covered = 0
  for (const [name, { start, end }] of entries) {
    if (end > dataBytes) {
      throw malformed(`tensor ${quote(name)} ends at byte ${end} of the data, of which the file has ${dataBytes} bytes`)
    }
    if (start < covered) throw malformed(`tensor ${quote(name)} starts at byte ${start} of the data, inside of another`)
    if (start > covered)
      throw malformed(`bytes ${covered} to ${start} of the data, before ${quote(name)}, are no tensor's`)
    covered = end
  }
  if (covered < dataBytes) throw malformed(`the last ${dataBytes - covered} bytes of the file are no tensor's`)
}

function describe(value: Json | undefined): string {
  if (value === undefined) return 'missing'
  if (typeof value === 'string') return quote(value)
  if (Array.isArray(value)) return 'an array'
  if (value instanceof Map) return 'an object'
  return value !== null && typeof value === 'object' ? value.literal : String(value)
}

function malformed(problem: string, options?: ErrorOptions): Error {
  return new Error(`safetensors: ${problem}`, options)
}
