import { openSafetensors } from '@mixtape/autodiff/safetensors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assemble, encodeToBytes } from './safetensors-files.ts'

/** The definition of a small binary floating type: its bits are sign, exponent, fraction. */
interface Format {
  readonly dtype: 'F16' | 'BF16'
  readonly fractionBits: number
  readonly exponentBits: number
}

const formats: readonly Format[] = [
  { dtype: 'F16', fractionBits: 10, exponentBits: 5 },
  { dtype: 'BF16', fractionBits: 7, exponentBits: 8 },
]

const patterns = Uint16Array.from({ length: 65536 }, (_, pattern) => pattern)

describe.each(formats)('$dtype', (format) => {
  const { dtype } = format
  /** Values of the non-negative finite patterns, ascending, then what the next pattern would be without infinity. */
  const magnitudes = Array.from({ length: infinityOf(format) + 1 }, (_, pattern) => finiteValue(pattern, format))

  it('widens every pattern to its value by definition', async () => {
    const widened = await widen(dtype, patterns)
    const wrong = patterns.filter((pattern) => !Object.is(widened[pattern], patternValue(pattern, format)))
    expect(wrong).toEqual(new Uint16Array(0))
  })

  it('gives every pattern back when widened and narrowed, NaN payloads too', async () => {
    expect(await narrow(dtype, await widen(dtype, patterns))).toEqual(patterns)
  })

  it('narrows to the nearest value, ties to even, at and around every value and every midpoint', async () => {
    const inputs: number[] = []
    for (let pattern = 0; pattern < magnitudes.length - 1; pattern++) {
      const middle = (magnitudes[pattern] + magnitudes[pattern + 1]) / 2
      for (const x of [magnitudes[pattern], middle]) inputs.push(x, ...neighbours(x))
    }
    expectNearest(inputs, await narrow(dtype, Float32Array.from(inputs)))
    const negative = inputs.map((x) => -x)
    expectNearest(negative, await narrow(dtype, Float32Array.from(negative)))
  })

  it('narrows any float32 to the nearest value', async () => {
    const floats = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength: 200 })
    await fc.assert(
      fc.asyncProperty(floats, async (bits) => {
        const inputs = new Float32Array(Int32Array.from(bits).buffer)
        expectNearest(Array.from(inputs), await narrow(dtype, inputs))
      }),
    )
  })

  it('narrows a NaN to a NaN even when the payload does not fit', async () => {
    const nans = new Float32Array(Uint32Array.of(0x7f800001, 0xff800001, 0x7fc00000, 0x7fffffff).buffer)
    const signs = Array.from(await narrow(dtype, nans), (pattern) => {
      expect(pattern & 0x7fff).toBeGreaterThan(infinityOf(format))
      return pattern >> 15
    })
    expect(signs).toEqual([0, 1, 0, 0])
  })

  function expectNearest(inputs: readonly number[], outputs: Uint16Array): void {
    const wrong = inputs.findIndex((x, i) => !isNearest(x, outputs[i]))
    if (wrong < 0) return
    expect.unreachable(`${inputs[wrong]} became 0x${outputs[wrong].toString(16)}, expected ${nearest(inputs[wrong])}`)
  }

  function isNearest(x: number, pattern: number): boolean {
    if (Number.isNaN(x)) return (pattern & 0x7fff) > infinityOf(format)
    return pattern === nearest(x)
  }

  /** By bisection of all magnitudes; the one after the largest stands for infinity. */
  function nearest(x: number): number {
    const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0
    const magnitude = Math.abs(x)
    let below = 0
    let above = magnitudes.length
    while (above - below > 1) {
      const middle = (below + above) >> 1
      if (magnitudes[middle] <= magnitude) below = middle
      else above = middle
    }
    if (above === magnitudes.length) return sign | below
    const down = magnitude - magnitudes[below]
    const up = magnitudes[above] - magnitude
    if (down === up) return sign | (below % 2 === 0 ? below : above)
    return sign | (down < up ? below : above)
  }
})

function infinityOf({ fractionBits, exponentBits }: Format): number {
  return (2 ** exponentBits - 1) * 2 ** fractionBits
}

/** The largest exponent is read like any other. */
function finiteValue(magnitude: number, { fractionBits, exponentBits }: Format): number {
  const exponent = Math.floor(magnitude / 2 ** fractionBits)
  const fraction = (magnitude % 2 ** fractionBits) / 2 ** fractionBits
  const bias = 2 ** (exponentBits - 1) - 1
  return exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias)
}

function patternValue(pattern: number, format: Format): number {
  const magnitude = pattern % 32768
  const sign = pattern < 32768 ? 1 : -1
  if (magnitude > infinityOf(format)) return Number.NaN
  return sign * (magnitude === infinityOf(format) ? Number.POSITIVE_INFINITY : finiteValue(magnitude, format))
}

/** The float32 next below and next above a positive one. */
function neighbours(x: number): number[] {
  const bits = new Int32Array(Float32Array.of(x).buffer)[0]
  return Array.from(new Float32Array(Int32Array.of(Math.max(0, bits - 1), bits + 1).buffer))
}

async function widen(dtype: Format['dtype'], halves: Uint16Array): Promise<Float32Array> {
  const entry = { dtype, shape: [halves.length], data_offsets: [0, halves.byteLength] }
  const file = await openSafetensors(assemble(JSON.stringify({ x: entry }), new Uint8Array(halves.buffer)))
  const floats = await file.read('x')
  if (floats instanceof Float32Array) return floats
  throw new Error('widened elements must be float32')
}

async function narrow(dtype: Format['dtype'], floats: Float32Array): Promise<Uint16Array> {
  const bytes = await encodeToBytes({ x: { dtype, shape: [floats.length], data: floats } })
  return new Uint16Array(bytes.slice(bytes.length - 2 * floats.length).buffer)
}
