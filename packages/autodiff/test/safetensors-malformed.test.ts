import { openSafetensors } from '@mixtape/autodiff/safetensors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assemble, contents, disassemble, encodeToBytes, recordingSource } from './safetensors-files.ts'

/** A valid file, to be spoilt. */
const files = contents(1).map(({ tensors, metadata }) => ({ bytes: encodeToBytes(tensors, { metadata }), tensors }))

describe('refused, naming what is wrong, after reading no more than the header:', () => {
  it('every truncation of a valid file', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.nat(), async ({ bytes }, cut) => {
        const whole = await bytes
        await expectRefused(whole.subarray(0, cut % whole.length))
      }),
      { numRuns: 300 },
    )
  })

  it('bytes after the last tensor', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.uint8Array({ minLength: 1, maxLength: 9 }), async ({ bytes }, more) => {
        const { header, data } = disassemble(await bytes)
        await expectRefused(assemble(header, Uint8Array.of(...data, ...more)))
      }),
    )
  })

  it('every other header length', async () => {
    const byte = fc.record({ at: fc.nat({ max: 7 }), flip: fc.integer({ min: 1, max: 255 }) })
    await fc.assert(
      fc.asyncProperty(files, byte, async ({ bytes }, { at, flip }) => {
        const spoilt = (await bytes).slice()
        spoilt[at] ^= flip
        await expectRefused(spoilt)
      }),
    )
  })

  it('every spoilt field of a tensor', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.nat(), spoilers, async ({ bytes }, choice, spoil) => {
        const { header, data } = disassemble(await bytes)
        const members: Record<string, unknown> = JSON.parse(header)
        const names = Object.keys(members).filter((name) => name !== '__metadata__')
        const name = names[choice % names.length]
        const entry = spoil(readEntry(members[name]))
        fc.pre(entry !== undefined)
        const spoilt = Object.entries(members).map(([key, value]) => [key, key === name ? entry : value])
        await expectRefused(assemble(JSON.stringify(Object.fromEntries(spoilt)), data))
      }),
      { numRuns: 1000 },
    )
  })

  it('a repeated name, even with the same content', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.nat(), async ({ bytes }, choice) => {
        const { header, data } = disassemble(await bytes)
        const members = Object.entries<unknown>(JSON.parse(header))
        const [name, value] = members[choice % members.length]
        const repeated = `${header.trimEnd().slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(value)}}`
        await expectRefused(assemble(repeated, data), 'is repeated')
      }),
    )
  })

  it('metadata that is no object of strings', async () => {
    const json = fc.json().filter((text) => !isStrings(JSON.parse(text)))
    await fc.assert(
      fc.asyncProperty(json, async (value) => {
        await expectRefused(assemble(`{"__metadata__":${value}}`))
      }),
    )
  })

  const entry = (shape: string, offsets: string, dtype = '"U8"') =>
    `{"a":{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}}`
  const two = (a: string, b: string) =>
    `{"a":{"dtype":"U8","shape":[2],"data_offsets":${a}},"b":{"dtype":"U8","shape":[2],"data_offsets":${b}}}`
  it.each<{ what: string; file: Uint8Array; message: string }>([
    { what: 'nothing', file: new Uint8Array(0), message: 'the file has 0 bytes' },
    { what: 'a header of 2^63 bytes', file: prefix(2n ** 63n), message: 'the header length is 9223372036854775808' },
    { what: 'a header of 2^64 - 1 bytes', file: prefix(2n ** 64n - 1n), message: '18446744073709551615' },
    { what: 'a header over 100 MB', file: prefix(100_000_001n), message: 'at most 100000000 bytes' },
    { what: 'a header past the end', file: prefix(9n), message: 'the header length is 9 but only 8 bytes follow' },
    { what: 'an empty header', file: assemble(''), message: "must begin with '{'" },
    { what: 'white space in front', file: assemble(' {}'), message: "must begin with '{'" },
    { what: 'a byte order mark', file: assemble('\ufeff{}'), message: "must begin with '{'" },
    { what: 'bytes that are no UTF-8', file: assemble(Uint8Array.of(0x7b, 0xff, 0x7d)), message: 'not valid UTF-8' },
    { what: 'two values', file: assemble('{}{}'), message: 'expected nothing more at character 2' },
    { what: 'a trailing comma', file: assemble('{"a":1,}'), message: 'expected a key at character 7' },
    { what: 'a header that stops', file: assemble('{"a":{"dtype":"F3'), message: 'a string does not end' },
    { what: 'a string that ends in an escape', file: assemble('{"a\\'), message: 'a string does not end' },
    { what: 'an invalid escape', file: assemble('{"\\x":1}'), message: 'invalid escape' },
    { what: 'half of a surrogate pair', file: assemble('{"\\ud800":1}'), message: 'surrogate' },
    { what: 'a line break in a string', file: assemble('{"a\n":1}'), message: 'control character' },
    { what: 'NaN', file: assemble('{"a":NaN}'), message: 'expected a value at character 5' },
    { what: 'a leading zero', file: assemble(entry('[01]', '[0,1]')), message: 'expected a value' },
    { what: 'bottomless nesting', file: assemble(`{"a":${'['.repeat(1e6)}`), message: 'nesting is deeper' },
    { what: 'a repeated field', file: assemble('{"a":{"dtype":"U8","dtype":"U8"}}'), message: '"dtype" is repeated' },
    { what: 'an escaped repetition', file: assemble('{"a":1,"\\u0061":1}'), message: 'the key "a" is repeated' },
    { what: 'two __proto__', file: assemble('{"__proto__":1,"__proto__":1}'), message: '"__proto__" is repeated' },
    {
      what: 'a number as metadata',
      file: assemble('{"__metadata__":{"a":1}}'),
      message: '"a" is 1 but must be a string',
    },
    { what: 'a tensor that is a number', file: assemble('{"a":1}'), message: 'tensor "a" is 1 but must be an object' },
    {
      what: 'another dtype',
      file: assemble(entry('[0]', '[0,0]', '"F8"')),
      message: 'dtype is "F8" but must be one of',
    },
    { what: 'no dtype', file: assemble('{"a":{"shape":[0],"data_offsets":[0,0]}}'), message: 'dtype is missing' },
    { what: 'a negative extent', file: assemble(entry('[2,-1]', '[0,0]')), message: 'shape[1] is -1 but must be' },
    { what: 'a fraction', file: assemble(entry('[1.0]', '[0,1]')), message: 'shape[0] is 1.0' },
    { what: 'an exponent', file: assemble(entry('[1e0]', '[0,1]')), message: 'shape[0] is 1e0' },
    {
      what: 'an extent of 2^53',
      file: assemble(entry(`[${2 ** 53}]`, '[0,0]')),
      message: 'shape[0] is 9007199254740992',
    },
    {
      what: 'a fraction that rounds to an exact integer',
      file: assemble(entry('[9007199254740991.4]', '[0,9007199254740991]')),
      message: 'shape[0] is 9007199254740991.4',
    },
    {
      what: 'a product beyond 2^53',
      file: assemble(entry('[4294967296,4294967296]', '[0,0]')),
      message: 'U8 [4294967296, 4294967296] is too large',
    },
    {
      what: 'a claim of 8 TB',
      file: assemble(entry('[8796093022208]', '[0,8796093022208]')),
      message: 'of which the file has 0',
    },
    {
      what: 'reversed offsets',
      file: assemble(entry('[1]', '[1,0]'), bytes(1)),
      message: 'data_offsets are reversed: [1, 0]',
    },
    {
      what: 'three offsets',
      file: assemble(entry('[1]', '[0,1,2]'), bytes(1)),
      message: 'has 3 items but must have 2',
    },
    { what: 'no offsets', file: assemble(entry('[1]', '[]'), bytes(1)), message: 'has 0 items but must have 2' },
    {
      what: 'offsets of another size',
      file: assemble(entry('[2]', '[0,1]'), bytes(1)),
      message: 'hold 1 bytes but U8 [2] takes 2',
    },
    {
      what: 'overlap',
      file: assemble(two('[0,2]', '[1,3]'), bytes(3)),
      message: 'tensor "b" starts at byte 1 of the data, inside',
    },
    { what: 'two tensors in one place', file: assemble(two('[0,2]', '[0,2]'), bytes(2)), message: 'inside of another' },
    { what: 'a gap', file: assemble(two('[0,2]', '[3,5]'), bytes(5)), message: 'bytes 2 to 3 of the data, before "b"' },
    { what: 'a gap in front', file: assemble(entry('[1]', '[1,2]'), bytes(2)), message: 'bytes 0 to 1 of the data' },
    { what: 'trailing bytes', file: assemble('{}', bytes(3)), message: "the last 3 bytes of the file are no tensor's" },
  ])('$what', async ({ file, message }) => {
    await expectRefused(file, message)
  })
})

it('a header with any byte changed is refused or read as what it says', async () => {
  const change = fc.record({ at: fc.nat(), flip: fc.integer({ min: 1, max: 255 }) })
  await fc.assert(
    fc.asyncProperty(files, change, async ({ bytes }, { at, flip }) => {
      const spoilt = (await bytes).slice()
      const { dataStart } = disassemble(spoilt)
      spoilt[8 + (at % (dataStart - 8))] ^= flip
      const file = await openSafetensors(spoilt).catch((error: unknown) => expectFormatError(error))
      if (file === undefined) return
      const said: Record<string, unknown> = JSON.parse(disassemble(spoilt).header)
      for (const [name, { dtype, shape, start, end }] of file.entries) {
        expect(said[name]).toMatchObject({ dtype, shape, data_offsets: [start, end] })
      }
    }),
    { numRuns: 1000 },
  )
})

it('a BOOL that is neither 0 nor 1 is refused when it is read', async () => {
  const header = '{"mask":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}}'
  const file = await openSafetensors(assemble(header, Uint8Array.of(0, 1, 2)))
  await expect(file.read('mask')).rejects.toThrow('tensor "mask": element 2 is 2 but BOOL is 0 or 1')
})

it('fields that the format does not have are passed over, as upstream does', async () => {
  const header = '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":{"x":[-1.5e3,true,null]}}}'
  const file = await openSafetensors(assemble(header, Uint8Array.of(9)))
  expect(await file.read('a')).toEqual(Uint8Array.of(9))
})

async function expectRefused(file: Uint8Array, message = ''): Promise<void> {
  const source = recordingSource(file)
  const error: unknown = await openSafetensors(source).then(
    () => new Error('was accepted'),
    (reason: unknown) => reason,
  )
  expectFormatError(error)
  expect(error).toHaveProperty('message', expect.stringContaining(message))
  const length = file.length < 8 ? 0n : new DataView(file.buffer, file.byteOffset).getBigUint64(0, true)
  const readable = length <= file.length - 8 ? 8 + Number(length) : 8
  for (const [, end] of source.reads) expect(end).toBeLessThanOrEqual(readable)
}

/** One of ours, which is a plain Error: not what the engine throws at a bad length or type. */
function expectFormatError(error: unknown): undefined {
  expect(error).toHaveProperty('message', expect.stringMatching(/^safetensors: /))
  expect(Object.getPrototypeOf(error)).toBe(Error.prototype)
}

interface Entry {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data_offsets: readonly [number, number]
}

const widths: Readonly<Record<string, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, U8: 1, BOOL: 1 }
const notNaturals = fc.constantFrom<unknown>(-1, -0.5, 1.5, 2 ** 53, 1e300, '1', null, true, [1], {})
const notArrays = fc.constantFrom<unknown>(0, 7, '', '[0,0]', null, true, {}, { 0: 0, 1: 0, length: 2 })
const notDTypes = fc.constantFrom<unknown>('', 'f32', 'F8', 'I16', '__proto__', 7, null, true, [], ['U8'], {})

/** Changes of one field that make an entry wrong; undefined where this one would still be right. */
const spoilers: fc.Arbitrary<(entry: Entry) => unknown> = fc.oneof(
  fc
    .constantFrom('dtype', 'shape', 'data_offsets')
    .map((field) => (entry: Entry) => ({ ...entry, [field]: undefined })),
  notDTypes.map((dtype) => (entry: Entry) => ({ ...entry, dtype })),
  fc.constantFrom(...Object.keys(widths)).map((dtype) => (entry: Entry) => {
    const [start, end] = entry.data_offsets
    return start === end || widths[dtype] === widths[entry.dtype] ? undefined : { ...entry, dtype }
  }),
  notArrays.map((shape) => (entry: Entry) => ({ ...entry, shape })),
  fc.tuple(fc.nat(), notNaturals).map(([axis, extent]) => (entry: Entry) => {
    const { shape } = entry
    if (shape.length === 0) return undefined
    return { ...entry, shape: shape.map((old, i) => (i === axis % shape.length ? extent : old)) }
  }),
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 5 })).map(([axis, more]) => (entry: Entry) => {
    const { shape } = entry
    const changed = shape.map((extent, i) => (i === axis % shape.length ? extent + more : extent))
    return product(changed) === product(shape) ? undefined : { ...entry, shape: changed }
  }),
  notArrays.map((offsets) => (entry: Entry) => ({ ...entry, data_offsets: offsets })),
  fc.tuple(fc.nat({ max: 1 }), notNaturals).map(([which, offset]) => (entry: Entry) => ({
    ...entry,
    data_offsets: entry.data_offsets.map((old, i) => (i === which ? offset : old)),
  })),
  fc.tuple(fc.nat({ max: 1 }), fc.integer({ min: 1, max: 2 ** 50 })).map(([which, more]) => (entry: Entry) => ({
    ...entry,
    data_offsets: entry.data_offsets.map((old, i) => (i === which ? old + more : old)),
  })),
  fc.integer({ min: 1, max: 2 ** 50 }).map((by) => (entry: Entry) => {
    const [start, end] = entry.data_offsets
    return start === end ? undefined : { ...entry, data_offsets: [start + by, end + by] }
  }),
  fc
    .constantFrom<(offsets: readonly number[]) => number[]>(
      (offsets) => offsets.slice(0, 1),
      (offsets) => [...offsets, 0],
      () => [],
    )
    .map((change) => (entry: Entry) => ({ ...entry, data_offsets: change(entry.data_offsets) })),
  fc.constant((entry: Entry) => {
    const [start, end] = entry.data_offsets
    return start === end ? undefined : { ...entry, data_offsets: [end, start] }
  }),
  fc.constantFrom<unknown>(null, 1, 'F32', [], true).map((value) => () => value),
)

function readEntry(value: unknown): Entry {
  const entry: Entry = JSON.parse(JSON.stringify(value))
  return entry
}

function product(shape: readonly number[]): number {
  return shape.reduce((size, extent) => size * extent, 1)
}

function isStrings(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((text) => typeof text === 'string')
}

function prefix(length: bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(length, 0n).buffer)
}

function bytes(count: number): Uint8Array {
  return new Uint8Array(count)
}
