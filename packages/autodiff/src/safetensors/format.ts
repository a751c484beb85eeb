/** Element types of stored tensors that can be read and written. */
export type SafetensorsDType = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'U8' | 'BOOL'

/**
 * Elements in host memory, by stored type: `Float64Array` for F64; `Float32Array` for F32, F16 and BF16; `Int32Array`
 * for I32; `BigInt64Array` for I64; `Uint8Array` for U8 and BOOL (0 or 1).
 */
export type HostData = Float64Array | Float32Array | Int32Array | BigInt64Array | Uint8Array

/** Every element type, in the order in which the upstream serializer stores tensors: the widest first. */
export const storageOrder: readonly SafetensorsDType[] = ['I64', 'F64', 'F32', 'I32', 'BF16', 'F16', 'U8', 'BOOL']

/** The key of the header that holds the file's own strings and no tensor. */
export const metadataKey = '__metadata__'

/** Longest header, in bytes. Upstream refuses longer ones too. */
export const maximumHeaderBytes = 100_000_000

/** Bytes of one stored element. */
export function storedBytes(dtype: SafetensorsDType): number {
  switch (dtype) {
    case 'F64':
    case 'I64':
      return 8
    case 'F32':
    case 'I32':
      return 4
    case 'F16':
    case 'BF16':
      return 2
    case 'U8':
    case 'BOOL':
      return 1
  }
}

/** Whether `value` names an element type. */
export function isSafetensorsDType(value: unknown): value is SafetensorsDType {
  return storageOrder.some((dtype) => dtype === value)
}

/**
 * Stored elements are little-endian and become typed arrays as they are.
 * @throws Error on a big-endian host, where they would be misread.
 */
export function checkHost(): void {
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1) {
    throw new Error('safetensors: this host is big-endian; only little-endian hosts are supported')
  }
}

/** @throws Error naming the tensor and the element when a BOOL is neither 0 nor 1. */
export function checkBooleans(name: string, values: HostData): void {
  const element = values.findIndex((value) => value > 1)
  if (element < 0) return
  throw new Error(`safetensors: tensor ${quote(name)}: element ${element} is ${values[element]} but BOOL is 0 or 1`)
}

/** A name or value for a message, however long it is. */
export function quote(value: string): string {
  return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value)
}
