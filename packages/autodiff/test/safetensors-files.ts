import {
  encodeSafetensors,
  type HostData,
  type SafetensorsSource,
  type SafetensorsTensor,
  type SafetensorsWriteOptions,
} from '@mixtape/autodiff/safetensors'
import fc from 'fast-check'

/** A whole file in memory. */
export async function encodeToBytes(
  tensors: Parameters<typeof encodeSafetensors>[0],
  options?: SafetensorsWriteOptions,
): Promise<Uint8Array> {
  const pieces: Uint8Array<ArrayBuffer>[] = []
  for await (const piece of encodeSafetensors(tensors, options)) pieces.push(new Uint8Array(piece))
  return new Uint8Array(await new Blob(pieces).arrayBuffer())
}

/** A file from its parts: the header as text or bytes, and the data section. */
export function assemble(header: string | Uint8Array, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header
  const file = new Uint8Array(8 + json.length + data.length)
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true)
  file.set(json, 8)
  file.set(data, 8 + json.length)
  return file
}

/** The parts of a file that is known to be valid. */
export function disassemble(file: Uint8Array): { header: string; data: Uint8Array; dataStart: number } {
  const dataStart = 8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true))
  return { header: new TextDecoder().decode(file.slice(8, dataStart)), data: file.slice(dataStart), dataStart }
}

/** A source that remembers what was read, and gives unaligned views. */
export function recordingSource(file: Uint8Array): SafetensorsSource & { readonly reads: [number, number][] } {
  const reads: [number, number][] = []
  return {
    reads,
    size: file.length,
    read: async (start, end) => {
      reads.push([start, end])
      const shifted = new Uint8Array(end - start + 1)
      shifted.set(file.subarray(start, end), 1)
      return shifted.subarray(1)
    },
  }
}

/** The bits of an array's elements. */
export function bytesOf(data: HostData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
}

/** Names that are special to JavaScript or to this format's neighbours, and any others. */
const names: fc.Arbitrary<string> = fc
  .oneof(
    fc.constantFrom('__proto__', 'constructor', 'toString', '', '0', '10', 'layers.0.weight', '"\\\n\u0000'),
    fc.string({ unit: 'grapheme', maxLength: 6 }),
  )
  .filter((name) => name !== '__metadata__')

/** Every element survives a 16-bit type exactly. */
const halves = fc.oneof(
  fc.integer({ min: -128, max: 128 }),
  fc.constantFrom(-0, 2 ** -14, 2 ** 15, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN),
)

function elements(size: number): Record<SafetensorsTensor['dtype'], fc.Arbitrary<HostData>> {
  const many = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: size, maxLength: size })
  const bytes = (count: number) => fc.uint8Array({ minLength: count * size, maxLength: count * size })
  return {
    F64: bytes(8).map((bits) => new Float64Array(new Uint8Array(bits).buffer)),
    F32: bytes(4).map((bits) => new Float32Array(new Uint8Array(bits).buffer)),
    F16: many(halves).map((values) => Float32Array.from(values)),
    BF16: many(halves).map((values) => Float32Array.from(values)),
    I64: bytes(8).map((bits) => new BigInt64Array(new Uint8Array(bits).buffer)),
    I32: bytes(4).map((bits) => new Int32Array(new Uint8Array(bits).buffer)),
    U8: bytes(1).map((bits) => new Uint8Array(bits)),
    BOOL: many(fc.nat({ max: 1 })).map((values) => Uint8Array.from(values)),
  }
}

/** Every stored type. */
export const dtypes = ['F64', 'F32', 'F16', 'BF16', 'I64', 'I32', 'U8', 'BOOL'] as const

/** One tensor with its data at hand. */
export type StoredTensor = SafetensorsTensor & { readonly data: HostData }

export const storedTensors: fc.Arbitrary<StoredTensor> = fc
  .tuple(fc.constantFrom(...dtypes), fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }))
  .chain(([dtype, shape]) =>
    elements(shape.reduce((product, extent) => product * extent, 1))[dtype].map((data) => ({ dtype, shape, data })),
  )

/** The contents of a file. */
export interface Contents {
  readonly tensors: Readonly<Record<string, StoredTensor>>
  readonly metadata: Readonly<Record<string, string>> | undefined
}

/** Any contents with at least `minTensors` tensors. */
export function contents(minTensors: number = 0): fc.Arbitrary<Contents> {
  const named = <T>(value: fc.Arbitrary<T>, minLength: number) =>
    fc
      .uniqueArray(fc.tuple(names, value), { selector: ([name]) => name, minLength, maxLength: 6 })
      .map((members) => Object.fromEntries(members))
  return fc.record({
    tensors: named(storedTensors, minTensors),
    metadata: fc.option(named(fc.string({ unit: 'grapheme' }), 0), { nil: undefined }),
  })
}
