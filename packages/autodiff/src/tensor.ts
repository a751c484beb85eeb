import { useContext } from './context.ts'
import { allocateArray, type DType, type TypedArray } from './dtype.ts'
import type { Executor, ExecutorBuffer } from './executor.ts'
import { holdInScope } from './scope.ts'
import { checkShape, formatShape, type Shape, sizeOf } from './shape.ts'
import { Storage } from './storage.ts'

let nextId = 0

/**
 * An immutable n-dimensional array on an executor: contiguous and row-major.
 *
 * Tensors are made by ops and by {@link tensor}, never by `new`. Their memory belongs to the {@link scope} they were
 * made in; outside of any scope it is reclaimed with the garbage collector.
 */
export class Tensor {
  readonly shape: Shape
  readonly dtype: DType
  /** Identity on tapes. */
  readonly id: number = nextId++
  /** For `int32` tensors: bounds of the values, known without reading them, so that indices are checked before use. */
  readonly range: readonly [number, number] | undefined
  readonly #storage: Storage

  /** Internal: use {@link tensor} or an op. */
  constructor(storage: Storage, shape: Shape, range?: readonly [number, number]) {
    this.shape = shape
    this.dtype = storage.dtype
    this.range = range
    this.#storage = storage
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape)
  }

  get rank(): number {
    return this.shape.length
  }

  get executor(): Executor {
    return this.#storage.executor
  }

  /** Whether the tensor's memory has been given back because its scope ended. */
  get freed(): boolean {
    return this.#storage.freed
  }

  /**
   * Internal: the executor's buffer.
   * @throws Error when the tensor's scope has ended.
   */
  get buffer(): ExecutorBuffer {
    if (this.freed) throw freedError(this.shape)
    return this.#storage.buffer
  }

  /** Internal: another tensor over the same elements. */
  withShape(shape: Shape): Tensor {
    if (this.freed) throw freedError(this.shape)
    return holdInScope(new Tensor(this.#storage, shape, this.range))
  }

  /** Internal: keeps the memory until the matching {@link release}. */
  retain(): void {
    this.#storage.retain()
  }

  /** Internal: undoes one {@link retain}. */
  release(): void {
    this.#storage.release()
  }

  /** Internal: undoes one {@link retain} without referring to the tensor, for when it is garbage. */
  get releaser(): () => void {
    const storage = this.#storage
    return () => storage.release()
  }

  /**
   * The elements, row-major, once all work they depend on is done.
   * @throws Error when the tensor's scope has ended.
   */
  data(): Promise<TypedArray> {
    return this.executor.read(this.buffer)
  }

  /**
   * The single element of a tensor of size 1.
   * @throws Error when the tensor has another size.
   */
  async item(): Promise<number> {
    if (this.size !== 1) throw new Error(`item: tensor has shape ${formatShape(this.shape)} but must have one element`)
    return (await this.data())[0]
  }

  toString(): string {
    return `Tensor(${this.dtype}, ${formatShape(this.shape)}${this.freed ? ', freed' : ''})`
  }
}

/** Elements as nested arrays, as {@link tensor} takes them. */
export type NestedNumbers = number | readonly NestedNumbers[]

export interface TensorOptions {
  /** Extents, for flat data. Default: those of the nesting, or one axis. */
  readonly shape?: Shape
  /** Default: the executor's floating default ({@link useExecutor}), `int32` for an `Int32Array`. */
  readonly dtype?: DType
}

/**
 * A tensor with the given elements: a number, nested arrays, or flat data with a `shape`.
 * @throws RangeError when the shape does not match the number of elements or the nesting is ragged.
 * @throws TypeError when a value of an `int32` tensor is not an integer.
 */
export function tensor(values: NestedNumbers | TypedArray, options: TensorOptions = {}): Tensor {
  const { flat, shape: nested } = flatten(values)
  const shape = checkShape('tensor', options.shape ?? nested)
  if (sizeOf(shape) !== flat.length) {
    throw new RangeError(
      `tensor: shape ${formatShape(shape)} has ${sizeOf(shape)} elements but values has ${flat.length}`,
    )
  }
  const dtype = options.dtype ?? (values instanceof Int32Array ? 'int32' : useContext().dtype)
  if (dtype === 'int32' && !(flat instanceof Int32Array)) checkIntegers(flat)
  const data = allocateArray(dtype, flat.length)
  data.set(flat)
  return upload(data, shape, dtype)
}

/** Type and place of a new tensor. Default: the executor in use and its floating default. */
export interface FillOptions {
  readonly dtype?: DType
  readonly executor?: Executor
}

/** A tensor filled with one value. */
export function full(shape: Shape, value: number, options: FillOptions = {}): Tensor {
  const dtype = options.dtype ?? useContext().dtype
  const data = allocateArray(dtype, sizeOf(checkShape('full', shape))).fill(value)
  return upload(data, shape, dtype, options.executor)
}

/** A tensor of zeros. */
export function zeros(shape: Shape, options: FillOptions = {}): Tensor {
  return full(shape, 0, options)
}

/** A tensor of ones. */
export function ones(shape: Shape, options: FillOptions = {}): Tensor {
  return full(shape, 1, options)
}

/** Internal: a tensor for a kernel to write. */
export function emptyTensor(executor: Executor, dtype: DType, shape: Shape, range?: readonly [number, number]): Tensor {
  return holdInScope(new Tensor(new Storage(executor, dtype, sizeOf(shape)), shape, range))
}

/** Internal: a tensor over host elements of its dtype, on the given or current executor. */
export function upload(
  data: TypedArray,
  shape: Shape,
  dtype: DType,
  executor: Executor = useContext().executor,
): Tensor {
  if (dtype !== 'int32' && !executor.dtypes.includes(dtype)) {
    throw new TypeError(
      `tensor: dtype is ${dtype} but executor ${executor.name} computes in ${executor.dtypes.join(', ')}`,
    )
  }
  const result = emptyTensor(executor, dtype, shape, dtype === 'int32' ? rangeOf(data) : undefined)
  executor.write(result.buffer, data)
  return result
}

function freedError(shape: Shape): Error {
  return new Error(
    `tensor ${formatShape(shape)} was freed when its scope ended; return it from the scope or make it outside`,
  )
}

function rangeOf(data: TypedArray): readonly [number, number] | undefined {
  if (data.length === 0) return undefined
  let least = data[0]
  let most = data[0]
  for (const value of data) {
    if (value < least) least = value
    if (value > most) most = value
  }
  return [least, most]
}

function checkIntegers(values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== (values[i] | 0)) {
      throw new TypeError(`tensor: element ${i} is ${values[i]} but int32 elements must be integers within 32 bits`)
    }
  }
}

function flatten(values: NestedNumbers | TypedArray): { flat: TypedArray | number[]; shape: Shape } {
  if (typeof values === 'number') return { flat: [values], shape: [] }
  if (ArrayBuffer.isView(values)) return { flat: values, shape: [values.length] }
  const shape: number[] = []
  for (let level: NestedNumbers = values; typeof level !== 'number'; level = level[0] ?? 0) shape.push(level.length)
  const flat: number[] = []
  collect(values, shape, 0, flat)
  return { flat, shape }
}

function collect(values: NestedNumbers, shape: Shape, depth: number, into: number[]): void {
  if (typeof values === 'number') {
    if (depth !== shape.length) throw new RangeError(`tensor: nested arrays are ragged at depth ${depth}`)
    into.push(values)
    return
  }
  if (values.length !== shape[depth]) throw new RangeError(`tensor: nested arrays are ragged at depth ${depth}`)
  for (const value of values) collect(value, shape, depth + 1, into)
}
