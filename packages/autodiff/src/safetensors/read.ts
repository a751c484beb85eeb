import { useContext } from '../context.ts'
import { allocateArray, type DType, type TypedArray } from '../dtype.ts'
import { type Tensor, upload } from '../tensor.ts'
import { checkBooleans, checkHost, type HostData, quote, type SafetensorsDType } from './format.ts'
import { widenBfloat16, widenFloat16 } from './half.ts'
import { readHeader, type SafetensorsEntry, type SafetensorsHeader } from './header.ts'
import { readBytes, type SafetensorsSource, toSource } from './source.ts'

export interface SafetensorsTensorOptions {
  /** Default: the floating default of the context for floating tensors, `int32` for integers and booleans. */
  readonly dtype?: DType
}

/**
 * Opens a safetensors file (https://github.com/huggingface/safetensors) and reads its header; tensors are read when
 * they are asked for. Whatever the header claims is checked against the file's size first.
 * @throws Error naming what is malformed, or that the host is big-endian; whatever `source.read` throws.
 */
export async function openSafetensors(source: Blob | Uint8Array | SafetensorsSource): Promise<SafetensorsFile> {
  checkHost()
  const bytes = toSource(source)
  return new SafetensorsFile(bytes, await readHeader(bytes))
}

/** An open safetensors file, made by {@link openSafetensors}. */
export class SafetensorsFile {
  /** The file's `__metadata__`, without a prototype; empty when it has none. */
  readonly metadata: Readonly<Record<string, string>>
  /** What the file holds, by name, in the order of the bytes. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>
  readonly #source: SafetensorsSource
  readonly #dataStart: number

  /** Internal: use {@link openSafetensors}. */
  constructor(source: SafetensorsSource, { metadata, entries, dataStart }: SafetensorsHeader) {
    this.metadata = metadata
    this.entries = entries
    this.#source = source
    this.#dataStart = dataStart
  }

  /**
   * A tensor's elements, row-major. F16 and BF16 are widened, which is exact.
   * @throws Error when there is no such tensor, or a BOOL is neither 0 nor 1; whatever the source's `read` throws.
   */
  async read(name: string): Promise<HostData> {
    const { dtype, start, end } = this.#entry(name)
    const data = decode(dtype, await readBytes(this.#source, this.#dataStart + start, this.#dataStart + end))
    if (dtype === 'BOOL') checkBooleans(name, data)
    return data
  }

  /**
   * A tensor on the executor in use at the time of the call.
   * @throws Error when there is no such tensor or no executor in use, or when an I64 does not fit in 32 bits, naming
   * the element.
   * @throws TypeError when a floating tensor is asked for as `int32`, or a dtype that the executor does not compute in.
   */
  async tensor(name: string, options: SafetensorsTensorOptions = {}): Promise<Tensor> {
    const { dtype: stored, shape } = this.#entry(name)
    const context = useContext()
    const floating = stored === 'F64' || stored === 'F32' || stored === 'F16' || stored === 'BF16'
    const dtype = options.dtype ?? (floating ? context.dtype : 'int32')
    if (floating && dtype === 'int32') {
      throw new TypeError(`safetensors: tensor ${quote(name)} is ${stored} but an int32 tensor takes integers`)
    }
    return upload(convert(name, await this.read(name), dtype), shape, dtype, context.executor)
  }

  #entry(name: string): SafetensorsEntry {
    const entry = this.entries.get(name)
    if (entry !== undefined) return entry
    const some = [...this.entries.keys()].slice(0, 8).map(quote)
    const more = this.entries.size - some.length
    const has = some.length === 0 ? 'no tensors' : `${some.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
    throw new Error(`safetensors: there is no tensor ${quote(name)}; the file has ${has}`)
  }
}

function decode(dtype: SafetensorsDType, bytes: Uint8Array): HostData {
  const { buffer, byteOffset } = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes)
  switch (dtype) {
    case 'F64':
      return new Float64Array(buffer, byteOffset, bytes.length / 8)
    case 'F32':
      return new Float32Array(buffer, byteOffset, bytes.length / 4)
    case 'F16':
      return widenFloat16(new Uint16Array(buffer, byteOffset, bytes.length / 2))
    case 'BF16':
      return widenBfloat16(new Uint16Array(buffer, byteOffset, bytes.length / 2))
    case 'I64':
      return new BigInt64Array(buffer, byteOffset, bytes.length / 8)
    case 'I32':
      return new Int32Array(buffer, byteOffset, bytes.length / 4)
    case 'U8':
    case 'BOOL':
      return new Uint8Array(buffer, byteOffset, bytes.length)
  }
}

function convert(name: string, data: HostData, dtype: DType): TypedArray {
  const converted = allocateArray(dtype, data.length)
  if (!(data instanceof BigInt64Array)) {
    converted.set(data)
    return converted
  }
  for (let i = 0; i < data.length; i++) {
    if (dtype === 'int32' && BigInt.asIntN(32, data[i]) !== data[i]) {
      throw new Error(
        `safetensors: tensor ${quote(name)}: element ${i} is ${data[i]} but int32 tensors take integers within 32 bits`,
      )
    }
    converted[i] = Number(data[i])
  }
  return converted
}
