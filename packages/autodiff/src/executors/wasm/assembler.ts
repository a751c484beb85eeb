/**
 * A small WebAssembly assembler: enough to write SIMD kernels as TypeScript functions. Values live in locals;
 * every operation takes locals and gives a new one, so that a kernel reads like its formula and the engine's register
 * allocator does the rest.
 */

/** A local that holds four float32 (or a mask of the same width). */
export type Vector = { readonly vector: number }

/** A local that holds an i32: a byte address, a byte count, or a counter. */
export type Integer = { readonly integer: number }

/** Opcodes behind the SIMD prefix 0xfd. */
const simd = {
  load: 0x00,
  load32Splat: 0x09,
  load64Zero: 0x5d,
  load32Lane: 0x56,
  store: 0x0b,
  store32Lane: 0x5a,
  constant: 0x0c,
  shuffle: 0x0d,
  splat: 0x13,
  extract: 0x1f,
  replace: 0x20,
  equal: 0x41,
  notEqual: 0x42,
  less: 0x43,
  lessEqual: 0x45,
  and: 0x4e,
  or: 0x50,
  select: 0x52,
  abs: 0xe0,
  neg: 0xe1,
  sqrt: 0xe3,
  add: 0xe4,
  sub: 0xe5,
  mul: 0xe6,
  div: 0xe7,
  min: 0xe8,
  max: 0xe9,
  pmin: 0xea,
  pmax: 0xeb,
  shiftLeft: 0xab,
  shiftRight: 0xac,
  addInt: 0xae,
  subInt: 0xb1,
  toInt: 0xf8,
  fromInt: 0xfa,
  promoteLow: 0x5f,
  demoteZero: 0x5e,
  addDouble: 0xf0,
  extractDouble: 0x21,
  relaxedMultiplyAdd: 0x105,
} as const

type Unary = 'abs' | 'neg' | 'sqrt' | 'fromInt' | 'toInt' | 'promoteLow' | 'demoteZero'
type Binary =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'min'
  | 'max'
  | 'pmin'
  | 'pmax'
  | 'and'
  | 'or'
  | 'equal'
  | 'notEqual'
  | 'less'
  | 'lessEqual'
  | 'addInt'
  | 'subInt'
  | 'addDouble'

const i32Type = 0x7f
const v128Type = 0x7b

/** Writes one function. */
export class FunctionBuilder {
  readonly parameters: readonly Integer[]
  readonly #relaxed: boolean
  readonly #types: number[]
  readonly #prologue: number[] = []
  readonly #constants = new Map<string, Vector>()
  #code: number[] = []

  constructor(parameterCount: number, relaxed: boolean) {
    this.#relaxed = relaxed
    this.#types = new Array<number>(parameterCount).fill(i32Type)
    this.parameters = this.#types.map((_, integer) => ({ integer }))
  }

  /** A vector of one number, made before the function's loops begin. */
  constant(value: number): Vector {
    const bytes = new Uint8Array(new Float32Array(4).fill(value).buffer)
    return this.#hoist(bytes)
  }

  /** A vector of one 32-bit pattern. */
  bits(value: number): Vector {
    const bytes = new Uint8Array(new Int32Array(4).fill(value).buffer)
    return this.#hoist(bytes)
  }

  unary(name: Unary, x: Vector): Vector {
    this.#get(x.vector)
    return this.#simd(simd[name])
  }

  binary(name: Binary, a: Vector, b: Vector): Vector {
    this.#get(a.vector)
    this.#get(b.vector)
    return this.#simd(simd[name])
  }

  /** a·b + c: fused where the engine has relaxed SIMD. */
  multiplyAdd(a: Vector, b: Vector, c: Vector): Vector {
    if (!this.#relaxed) return this.binary('add', this.binary('mul', a, b), c)
    for (const operand of [a, b, c]) this.#get(operand.vector)
    return this.#simd(simd.relaxedMultiplyAdd)
  }

  /** a where the mask is set, else b. */
  select(mask: Vector, a: Vector, b: Vector): Vector {
    for (const operand of [a, b, mask]) this.#get(operand.vector)
    return this.#simd(simd.select)
  }

  /** Shifts each 32-bit lane; to the right with its sign. */
  shift(direction: 'shiftLeft' | 'shiftRight', x: Vector, by: number): Vector {
    this.#get(x.vector)
    this.#code.push(0x41, ...signed(by))
    return this.#simd(simd[direction])
  }

  /** Picks four lanes, 0–3 of a and 4–7 of b. */
  shuffle(a: Vector, b: Vector, lanes: readonly [number, number, number, number]): Vector {
    this.#get(a.vector)
    this.#get(b.vector)
    this.#code.push(0xfd, simd.shuffle, ...lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte)))
    return this.#newVector()
  }

  /** Four floats at `address + offset` bytes. */
  load(address: Integer, offset: number = 0): Vector {
    this.#get(address.integer)
    this.#code.push(0xfd, simd.load, 0, ...unsigned(offset))
    return this.#newVector()
  }

  /** One float at `address + offset`, four times. */
  loadSplat(address: Integer, offset: number = 0): Vector {
    this.#get(address.integer)
    this.#code.push(0xfd, simd.load32Splat, 0, ...unsigned(offset))
    return this.#newVector()
  }

  /** x with one lane replaced by the float at `address`. */
  loadLane(x: Vector, address: Integer, lane: number): Vector {
    this.#get(address.integer)
    this.#get(x.vector)
    this.#code.push(0xfd, simd.load32Lane, 0, 0, lane)
    return this.#newVector()
  }

  store(address: Integer, x: Vector, offset: number = 0): void {
    this.#get(address.integer)
    this.#get(x.vector)
    this.#code.push(0xfd, simd.store, 0, ...unsigned(offset))
  }

  /** Stores lane 0 only. */
  storeLane(address: Integer, x: Vector): void {
    this.#get(address.integer)
    this.#get(x.vector)
    this.#code.push(0xfd, simd.store32Lane, 0, 0, 0)
  }

  /** Applies imported function 0, two doubles to one, to each lane. */
  callPerLane(a: Vector, b: Vector): Vector {
    const result = this.variable(a)
    for (let lane = 0; lane < 4; lane++) {
      this.#get(result.vector)
      for (const operand of [a, b]) {
        this.#get(operand.vector)
        this.#code.push(0xfd, simd.extract, lane, 0xbb)
      }
      this.#code.push(0x10, 0, 0xb6, 0xfd, simd.replace, lane)
      this.#set(result.vector)
    }
    return result
  }

  /** A local of its own, to be assigned in loops. */
  variable(initial: Vector): Vector {
    this.#get(initial.vector)
    return this.#newVector()
  }

  assign(variable: Vector, value: Vector): void {
    this.#get(value.vector)
    this.#set(variable.vector)
  }

  /** An i32 local with the value of another. */
  copy(value: Integer): Integer {
    this.#get(value.integer)
    return this.#newInteger()
  }

  sum(a: Integer, b: Integer): Integer {
    this.#get(a.integer)
    this.#get(b.integer)
    this.#code.push(0x6a)
    return this.#newInteger()
  }

  /** target ← source. */
  move(target: Integer, source: Integer): void {
    this.#get(source.integer)
    this.#set(target.integer)
  }

  /** x ← x + by. */
  increment(x: Integer, by: number | Integer): void {
    this.#get(x.integer)
    if (typeof by === 'number') this.#code.push(0x41, ...signed(by))
    else this.#get(by.integer)
    this.#code.push(0x6a)
    this.#set(x.integer)
  }

  /** Runs `body` `count` times, also 0 times. */
  repeat(count: Integer, body: () => void): void {
    const left = this.copy(count)
    this.#code.push(0x02, 0x40, 0x03, 0x40)
    this.#get(left.integer)
    this.#code.push(0x45, 0x0d, 1)
    body()
    this.increment(left, -1)
    this.#code.push(0x0c, 0, 0x0b, 0x0b)
  }

  /** The function's body in the binary format. */
  finish(): number[] {
    const parameterCount = this.parameters.length
    const locals = this.#types.slice(parameterCount).flatMap((type) => [1, type])
    const body = [...unsigned(this.#types.length - parameterCount), ...locals, ...this.#prologue, ...this.#code, 0x0b]
    return [...unsigned(body.length), ...body]
  }

  #hoist(bytes: Uint8Array): Vector {
    const key = bytes.slice(0, 4).join(',')
    const known = this.#constants.get(key)
    if (known !== undefined) return known
    const code = this.#code
    this.#code = this.#prologue
    this.#code.push(0xfd, simd.constant, ...bytes)
    const made = this.#newVector()
    this.#code = code
    this.#constants.set(key, made)
    return made
  }

  #simd(opcode: number): Vector {
    this.#code.push(0xfd, ...unsigned(opcode))
    return this.#newVector()
  }

  #get(local: number): void {
    this.#code.push(0x20, ...unsigned(local))
  }

  #set(local: number): void {
    this.#code.push(0x21, ...unsigned(local))
  }

  #newVector(): Vector {
    this.#types.push(v128Type)
    this.#set(this.#types.length - 1)
    return { vector: this.#types.length - 1 }
  }

  #newInteger(): Integer {
    this.#types.push(i32Type)
    this.#set(this.#types.length - 1)
    return { integer: this.#types.length - 1 }
  }
}

/** A module with one exported function `run` of i32 parameters, importing `env.memory` and `env.pow`. */
export function moduleBytes(
  parameterCount: number,
  relaxed: boolean,
  write: (f: FunctionBuilder) => void,
): Uint8Array<ArrayBuffer> {
  const builder = new FunctionBuilder(parameterCount, relaxed)
  write(builder)
  const parameters = new Array<number>(parameterCount).fill(i32Type)
  const section = (id: number, content: readonly number[]) => [id, ...unsigned(content.length), ...content]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [2, 0x60, 2, 0x7c, 0x7c, 1, 0x7c, 0x60, ...unsigned(parameterCount), ...parameters, 0]),
    ...section(2, [2, ...name('env'), ...name('pow'), 0x00, 0, ...name('env'), ...name('memory'), 0x02, 0x00, 1]),
    ...section(3, [1, 1]),
    ...section(7, [1, ...name('run'), 0x00, 1]),
    ...section(10, [1, ...builder.finish()]),
  ])
}

function name(text: string): number[] {
  return [text.length, ...new TextEncoder().encode(text)]
}

/** Unsigned LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = []
  let left = value
  do {
    bytes.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0))
    left = Math.floor(left / 128)
  } while (left > 0)
  return bytes
}

/** Signed LEB128 of a 32-bit integer. */
function signed(value: number): number[] {
  const bytes: number[] = []
  let left = value | 0
  while (true) {
    const byte = left & 0x7f
    left >>= 7
    const done = (left === 0 && (byte & 0x40) === 0) || (left === -1 && (byte & 0x40) !== 0)
    bytes.push(done ? byte : byte | 0x80)
    if (done) return bytes
  }
}
