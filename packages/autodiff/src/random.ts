import { defaultDType } from './context.ts'
import type { FloatDType } from './dtype.ts'
import { allocateArray } from './dtype.ts'
import { checkShape, type Shape, sizeOf } from './shape.ts'
import { type Tensor, upload } from './tensor.ts'

/** Everything a generator needs to go on where it was: four 32-bit words. */
export type GeneratorState = readonly [number, number, number, number]

/**
 * A seeded source of random numbers (xoshiro128**, Blackman and Vigna, arXiv 1805.01407). Numbers are drawn on the host,
 * so they are the same on every executor.
 */
export class Generator {
  #state: Uint32Array

  /** Internal: use {@link randomGenerator}. */
  constructor(state: GeneratorState) {
    this.#state = Uint32Array.from(state)
  }

  /** Where the sequence stands. Assigning a state that was read earlier repeats the numbers from there. */
  get state(): GeneratorState {
    const [a, b, c, d] = this.#state
    return [a, b, c, d]
  }

  set state(state: GeneratorState) {
    this.#state = Uint32Array.from(state)
  }

  /** A uniform 32-bit integer. */
  bits(): number {
    const s = this.#state
    const result = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0
    const shifted = s[1] << 9
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= shifted
    s[3] = rotateLeft(s[3], 11)
    return result
  }

  /** Uniform in [0, 1), with 53 random bits. */
  uniform(): number {
    const high = this.bits() >>> 5
    return (high * 2 ** 26 + (this.bits() >>> 6)) / 2 ** 53
  }

  /**
   * A uniform integer in [0, n), without bias.
   * @throws RangeError when n is not an integer in [1, 2³²].
   */
  integer(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) {
      throw new RangeError(`integer: n is ${n} but must be an integer in [1, 2^32]`)
    }
    const limit = 2 ** 32 - (2 ** 32 % n)
    let bits = this.bits()
    while (bits >= limit) bits = this.bits()
    return bits % n
  }

  /** Standard normal (Box–Muller; one of the pair is used, so that the state alone says what comes next). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  /** An independent generator for `label`. This one does not move, so the order of splits does not matter. */
  split(label: string | number): Generator {
    return randomGenerator(`${this.#state.join(',')}/${label}`)
  }
}

/** A generator whose numbers depend on `seed` alone. */
export function randomGenerator(seed: number | string): Generator {
  const text = typeof seed === 'number' ? `#${seed}` : seed
  return new Generator([hash(text, 1), hash(text, 2), hash(text, 3), hash(text, 4) | 1])
}

/** Normal random numbers. */
export function randomNormal(
  generator: Generator,
  shape: Shape,
  options: { readonly mean?: number; readonly deviation?: number; readonly dtype?: FloatDType } = {},
): Tensor {
  const { mean = 0, deviation = 1, dtype } = options
  return fill('randomNormal', shape, dtype, () => mean + deviation * generator.normal())
}

/** Uniform random numbers in [low, high). */
export function randomUniform(
  generator: Generator,
  shape: Shape,
  options: { readonly low?: number; readonly high?: number; readonly dtype?: FloatDType } = {},
): Tensor {
  const { low = 0, high = 1, dtype } = options
  return fill('randomUniform', shape, dtype, () => low + (high - low) * generator.uniform())
}

function fill(op: string, shape: Shape, dtype: FloatDType | undefined, draw: () => number): Tensor {
  const type = dtype ?? defaultDType()
  const data = allocateArray(type, sizeOf(checkShape(op, shape)))
  for (let i = 0; i < data.length; i++) data[i] = draw()
  return upload(data, shape, type)
}

function rotateLeft(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by))
}

/** MurmurHash3 (32 bit, public domain) over UTF-16 code units. */
function hash(text: string, seed: number): number {
  let h = seed
  for (let i = 0; i < text.length; i++) {
    const k = Math.imul(rotateLeft(Math.imul(text.charCodeAt(i), 0xcc9e2d51), 15), 0x1b873593)
    h = (Math.imul(rotateLeft(h ^ k, 13), 5) + 0xe6546b64) | 0
  }
  h ^= text.length
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
