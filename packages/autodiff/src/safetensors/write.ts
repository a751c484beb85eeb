import type { DType } from '../dtype.ts'
import { checkShape, formatShape, type Shape, sizeOf } from '../shape.ts'
import { Tensor } from '../tensor.ts'
import {
  checkBooleans,
  checkHost,
  type HostData,
  isSafetensorsDType,
  maximumHeaderBytes,
  metadataKey,
  quote,
  type SafetensorsDType,
  storageOrder,
  storedBytes,
} from './format.ts'
import { narrowToBfloat16, narrowToFloat16 } from './half.ts'

/** A tensor to store that is not, or not yet, in an executor's memory. */
export interface SafetensorsTensor {
  readonly dtype: SafetensorsDType
  readonly shape: Shape
  /**
   * The elements, row-major, in the array type that belongs to `dtype` (see {@link HostData}); or a function giving
   * them, called when it is their turn to be written. F16 and BF16 are rounded to nearest, ties to even.
   */
  readonly data: HostData | (() => HostData | Promise<HostData>)
}

export interface SafetensorsWriteOptions {
  /** Strings about the whole file. Default: none. */
  readonly metadata?: Readonly<Record<string, string>>
}

/**
 * The bytes of a safetensors file: the header, then each tensor's, made one at a time. Names, shapes and types are
 * checked at the call, elements when it is their turn. As upstream writes them: data begin at a multiple of 8 bytes,
 * wide types come first and so every tensor is aligned, then by name.
 *
 * Pieces can be views of the data that was given: write or copy them, do not change or transfer them.
 * @throws TypeError or RangeError naming the tensor when a name, dtype, shape or element array does not fit.
 * @throws Error when a tensor's scope has ended, the header is longer than 100 MB, a BOOL is neither 0 nor 1, or the
 * host is big-endian.
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, Tensor | SafetensorsTensor>>,
  options: SafetensorsWriteOptions = {},
): AsyncIterable<Uint8Array> {
  checkHost()
  const stored = Object.entries(tensors).map(([name, tensor]) => checkTensor(name, tensor))
  stored.sort((a, b) => storageOrder.indexOf(a.dtype) - storageOrder.indexOf(b.dtype) || (a.name < b.name ? -1 : 1))
  return encode(encodeHeader(stored, options.metadata), stored)
}

interface NamedTensor extends SafetensorsTensor {
  readonly name: string
}

async function* encode(header: Uint8Array, tensors: readonly NamedTensor[]): AsyncGenerator<Uint8Array> {
  yield header
  for (const tensor of tensors) {
    const data = typeof tensor.data === 'function' ? await tensor.data() : tensor.data
    checkData(tensor, data)
    yield toBytes(tensor.dtype, data)
  }
}

const storedDTypes: Readonly<Record<DType, SafetensorsDType>> = { float64: 'F64', float32: 'F32', int32: 'I32' }

const hostArrays = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Float32Array,
  BF16: Float32Array,
  I64: BigInt64Array,
  I32: Int32Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const

function checkTensor(name: string, tensor: Tensor | SafetensorsTensor): NamedTensor {
  const what = `encodeSafetensors: tensor ${quote(name)}`
  checkText(what, name)
  if (name === metadataKey) throw new TypeError(`${what}: this name belongs to the metadata; choose another`)
  if (tensor instanceof Tensor) {
    if (tensor.freed) throw new Error(`${what} was freed when its scope ended; return it from the scope`)
    return { name, dtype: storedDTypes[tensor.dtype], shape: tensor.shape, data: () => tensor.data() }
  }
  const { dtype, shape, data } = tensor
  if (!isSafetensorsDType(dtype)) {
    throw new TypeError(`${what}: dtype is ${dtype} but must be one of ${storageOrder.join(', ')}`)
  }
  checkShape(what, shape)
  if (!Number.isSafeInteger(sizeOf(shape) * storedBytes(dtype))) {
    throw new RangeError(`${what}: ${dtype} ${formatShape(shape)} is too large to address`)
  }
  const named = { name, dtype, shape: [...shape], data }
  if (typeof data !== 'function') checkData(named, data)
  return named
}

function checkData({ name, dtype, shape }: NamedTensor, data: HostData): void {
  const what = `encodeSafetensors: tensor ${quote(name)}`
  const expected = hostArrays[dtype]
  if (!(data instanceof expected)) {
    const given: unknown = data
    const got = ArrayBuffer.isView(given) ? given.constructor.name : typeof given
    throw new TypeError(`${what}: data is ${got} but dtype ${dtype} takes ${expected.name}`)
  }
  if (data.length !== sizeOf(shape)) {
    throw new RangeError(
      `${what}: shape ${formatShape(shape)} has ${sizeOf(shape)} elements but data has ${data.length}`,
    )
  }
  if (dtype === 'BOOL') checkBooleans(name, data)
}

function toBytes(dtype: SafetensorsDType, data: HostData): Uint8Array {
  let stored: HostData | Uint16Array = data
  if (data instanceof Float32Array && dtype === 'F16') stored = narrowToFloat16(data)
  if (data instanceof Float32Array && dtype === 'BF16') stored = narrowToBfloat16(data)
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength)
}

/** Written by hand: an object would put names that look like integers first. */
function encodeHeader(tensors: readonly NamedTensor[], metadata?: Readonly<Record<string, string>>): Uint8Array {
  const members: string[] = []
  if (metadata !== undefined) members.push(`"${metadataKey}":${encodeMetadata(metadata)}`)
  let end = 0
  for (const { name, dtype, shape } of tensors) {
    const start = end
    end += sizeOf(shape) * storedBytes(dtype)
    members.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [start, end] })}`)
  }
  if (!Number.isSafeInteger(end)) throw new RangeError('encodeSafetensors: the tensors are too large to address')
  const json = new TextEncoder().encode(`{${members.join(',')}}`)
  const length = Math.ceil(json.length / 8) * 8
  if (length > maximumHeaderBytes) {
    throw new Error(`encodeSafetensors: the header has ${length} bytes but can have at most ${maximumHeaderBytes}`)
  }
  const header = new Uint8Array(8 + length).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true)
  header.set(json, 8)
  return header
}

function encodeMetadata(metadata: Readonly<Record<string, string>>): string {
  for (const [key, value] of Object.entries(metadata)) {
    checkText('encodeSafetensors: a metadata key', key)
    if (typeof value !== 'string') {
      throw new TypeError(`encodeSafetensors: metadata ${quote(key)} is ${typeof value} but must be a string`)
    }
    checkText(`encodeSafetensors: metadata ${quote(key)}`, value)
  }
  return JSON.stringify(metadata)
}

/** UTF-8 has no way to write half of a surrogate pair. */
function checkText(what: string, text: string): void {
  if (/\p{Surrogate}/u.test(text)) throw new TypeError(`${what} has half of a surrogate pair and is no valid text`)
}
