/**
 * Conversion between float32 and the two 16-bit floating types, on bit patterns, so that NaN payloads survive.
 * Widening is exact. Narrowing rounds to nearest, ties to even, with subnormals; what is too large becomes infinite.
 */

/** IEEE binary16 (1 sign, 5 exponent, 10 fraction bits) to float32. */
export function widenFloat16(halves: Uint16Array): Float32Array {
  const floats = new Float32Array(halves.length)
  const bits = new Uint32Array(floats.buffer)
  for (let i = 0; i < halves.length; i++) bits[i] = float16ToBits(halves[i])
  return floats
}

/** bfloat16 (the upper half of a float32) to float32. */
export function widenBfloat16(halves: Uint16Array): Float32Array {
  const floats = new Float32Array(halves.length)
  const bits = new Uint32Array(floats.buffer)
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16
  return floats
}

/** float32 to IEEE binary16. */
export function narrowToFloat16(floats: Float32Array): Uint16Array {
  return Uint16Array.from(bitsOf(floats), bitsToFloat16)
}

/** float32 to bfloat16. */
export function narrowToBfloat16(floats: Float32Array): Uint16Array {
  return Uint16Array.from(bitsOf(floats), bitsToBfloat16)
}

const infinity32 = 0x7f800000
const infinity16 = 0x7c00
/** Difference of the exponent biases, 127 - 15, in place. */
const rebias = 112 << 23

function bitsOf(floats: Float32Array): Uint32Array {
  return new Uint32Array(floats.buffer, floats.byteOffset, floats.length)
}

function float16ToBits(half: number): number {
  const sign = (half & 0x8000) << 16
  const magnitude = half & 0x7fff
  if (magnitude >= infinity16) return sign | infinity32 | ((magnitude & 0x3ff) << 13)
  if (magnitude >= 0x400) return sign | (rebias + (magnitude << 13))
  if (magnitude === 0) return sign
  const shift = Math.clz32(magnitude) - 21 // brings the leading bit to where a normal number hides it
  return sign | ((113 - shift) << 23) | (((magnitude << shift) & 0x3ff) << 13)
}

function bitsToFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > infinity32) return sign | infinity16 | ((magnitude >>> 13) & 0x3ff || 0x200)
  if (magnitude >= 0x47800000) return sign | infinity16
  if (magnitude >= 0x38800000) return sign | roundShift(magnitude - rebias, 13)
  const shift = 126 - (magnitude >>> 23) // of the fraction, to units of 2^-24
  return sign | (shift > 24 ? 0 : roundShift((magnitude & 0x7fffff) | 0x800000, shift))
}

function bitsToBfloat16(bits: number): number {
  if ((bits & 0x7fffffff) > infinity32) return (bits >>> 16) | ((bits >>> 16) & 0x7f ? 0 : 0x40)
  return roundShift(bits, 16)
}

/** `value / 2^shift` to nearest, ties to even. */
function roundShift(value: number, shift: number): number {
  const truncated = value >>> shift
  const rest = value & ((1 << shift) - 1)
  const half = 1 << (shift - 1)
  return rest > half || (rest === half && truncated & 1) ? truncated + 1 : truncated
}
