import { reference, scope, type Tensor, tensor, useExecutor } from '@mixtape/autodiff'
import { encodeSafetensors, openSafetensors, type SafetensorsFile } from '@mixtape/autodiff/safetensors'
import { wasm } from '@mixtape/autodiff/wasm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  assemble,
  bytesOf,
  type Contents,
  contents,
  disassemble,
  dtypes,
  encodeToBytes,
  recordingSource,
  storedTensors,
} from './safetensors-files.ts'

const elementBytes = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, U8: 1, BOOL: 1 }

describe('writing and reading', () => {
  it('gives any tensors and metadata back bit for bit, from bytes, from a Blob and from unaligned ranges', async () => {
    await fc.assert(
      fc.asyncProperty(contents(), async (written) => {
        const bytes = await encodeToBytes(written.tensors, { metadata: written.metadata })
        const padded = new Uint8Array(bytes.length + 3)
        padded.set(bytes, 3)
        for (const source of [bytes, padded.subarray(3), new Blob([Uint8Array.from(bytes)]), recordingSource(bytes)]) {
          await expectContents(await openSafetensors(source), written)
        }
      }),
    )
  })

  it('does not depend on whether elements are given or made when it is their turn', async () => {
    await fc.assert(
      fc.asyncProperty(contents(), async ({ tensors, metadata }) => {
        const later = Object.entries(tensors).map(([name, stored]) => [
          name,
          { ...stored, data: async () => stored.data },
        ])
        const bytes = await encodeToBytes(tensors, { metadata })
        expect(await encodeToBytes(Object.fromEntries(later), { metadata })).toEqual(bytes)
      }),
    )
  })

  it('aligns every tensor: wide types first, then by name, from a multiple of 8 bytes', async () => {
    await fc.assert(
      fc.asyncProperty(contents(), async ({ tensors, metadata }) => {
        const bytes = await encodeToBytes(tensors, { metadata })
        const { dataStart } = disassemble(bytes)
        expect(dataStart % 8).toBe(0)
        const stored = [...(await openSafetensors(bytes)).entries]
        for (const [, { dtype, start }] of stored) expect(start % elementBytes[dtype]).toBe(0)
        const widths = stored.map(([, { dtype }]) => elementBytes[dtype])
        expect(widths).toEqual(widths.toSorted((a, b) => b - a))
        for (const one of dtypes) {
          const names = stored.flatMap(([name, { dtype, start, end }]) => (dtype === one && start < end ? [name] : []))
          expect(names).toEqual(names.toSorted())
        }
      }),
    )
  })

  it('writes the bytes that the tests of upstream expect', async () => {
    const data = Float32Array.of(0, 1, 2, 3, 4, 5)
    const plain = '{"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}}'
    const stored = { dtype: 'F32', shape: [1, 2, 3], data } as const
    expect(await encodeToBytes({ 'attn.0': stored })).toEqual(assemble(plain, bytesOf(data)))
    const aligned = `{"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}}${' '.repeat(7)}`
    expect(await encodeToBytes({ attn0: { ...stored, shape: [1, 1, 2, 3] } })).toEqual(assemble(aligned, bytesOf(data)))
    const empty = `{"__metadata__":{"framework":"pt"}}${' '.repeat(5)}`
    expect(await encodeToBytes({}, { metadata: { framework: 'pt' } })).toEqual(assemble(empty))
  })

  it('asks for the elements of one tensor at a time', async () => {
    const events: string[] = []
    const stored = (name: string) => {
      const data = () => {
        events.push(name)
        return Uint8Array.of(7)
      }
      return { dtype: 'U8', shape: [1], data } as const
    }
    for await (const piece of encodeSafetensors({ b: stored('b'), a: stored('a') }))
      events.push(`${piece.length} bytes`)
    expect(events.slice(1)).toEqual(['a', '1 bytes', 'b', '1 bytes'])
  })

  it('reads nothing but the header until a tensor is asked for, and then nothing but it', async () => {
    await fc.assert(
      fc.asyncProperty(contents(1), async ({ tensors }) => {
        const bytes = await encodeToBytes(tensors)
        const { dataStart } = disassemble(bytes)
        const source = recordingSource(bytes)
        const file = await openSafetensors(source)
        expect(source.reads).toEqual([
          [0, 8],
          [8, dataStart],
        ])
        for (const [name, { start, end }] of file.entries) {
          source.reads.length = 0
          await file.read(name)
          expect(source.reads).toEqual(start === end ? [] : [[dataStart + start, dataStart + end]])
        }
      }),
    )
  })

  it('does not share memory with the bytes it reads from', async () => {
    const bytes = await encodeToBytes({ x: { dtype: 'U8', shape: [2], data: Uint8Array.of(1, 2) } })
    const read = await (await openSafetensors(bytes)).read('x')
    bytes.fill(0)
    expect(read).toEqual(Uint8Array.of(1, 2))
  })

  it('refuses a source that gives fewer bytes than were asked for', async () => {
    const bytes = await encodeToBytes({ x: { dtype: 'U8', shape: [2], data: Uint8Array.of(1, 2) } })
    const { dataStart } = disassemble(bytes)
    const short = { size: bytes.length, read: async (start: number) => bytes.slice(start, dataStart) }
    await expect(openSafetensors(short)).rejects.toThrow('the source gave')
    const cut = {
      size: bytes.length,
      read: async (start: number, end: number) => bytes.slice(start, Math.min(end, dataStart + 1)),
    }
    await expect((await openSafetensors(cut)).read('x')).rejects.toThrow('the source gave 1 bytes')
    await expect(openSafetensors({ size: 1.5, read: async () => bytes })).rejects.toThrow('source.size is 1.5')
  })

  it('says what there is when a tensor is missing', async () => {
    const file = await openSafetensors(assemble('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'))
    await expect(file.read('toString')).rejects.toThrow('there is no tensor "toString"; the file has "a"')
  })
})

describe('tensors', () => {
  it.each([
    { name: 'reference in float64', executor: reference, dtype: 'float64' },
    { name: 'wasm in float32', executor: wasm, dtype: 'float32' },
  ] as const)('go to $name and back', async ({ executor, dtype }) => {
    await useExecutor(executor(), { dtype })
    await fc.assert(
      fc.asyncProperty(storedTensors, async (stored) => {
        const file = await openSafetensors(await encodeToBytes({ x: stored }))
        const integers = ['I64', 'I32', 'U8', 'BOOL'].includes(stored.dtype)
        const values = Array.from<number | bigint, number>(stored.data, Number)
        if (integers && values.some((value) => value !== (value | 0))) {
          await expect(file.tensor('x')).rejects.toThrow('tensor "x": element')
          return
        }
        const loaded = await file.tensor('x')
        expect([loaded.dtype, loaded.shape]).toEqual([integers ? 'int32' : dtype, stored.shape])
        const expected = dtype === 'float32' && !integers ? values.map(Math.fround) : values
        expect(Array.from(await loaded.data())).toEqual(expected)
        const again = await openSafetensors(await encodeToBytes({ y: loaded }))
        expect(again.entries.get('y')?.shape).toEqual(stored.shape)
        expect(await again.read('y')).toEqual(await loaded.data())
      }),
    )
  })

  it('take another dtype when asked to', async () => {
    await useExecutor(reference(), { dtype: 'float64' })
    const data = BigInt64Array.of(2n ** 40n, -1n)
    const file = await openSafetensors(
      await encodeToBytes({
        i: { dtype: 'I64', shape: [2], data },
        f: { dtype: 'F64', shape: [1], data: Float64Array.of(0.1) },
      }),
    )
    expect(await (await file.tensor('i', { dtype: 'float64' })).data()).toEqual(Float64Array.of(2 ** 40, -1))
    expect(await (await file.tensor('f', { dtype: 'float32' })).data()).toEqual(Float32Array.of(0.1))
    await expect(file.tensor('i')).rejects.toThrow('tensor "i": element 0 is 1099511627776 but int32')
    await expect(file.tensor('f', { dtype: 'int32' })).rejects.toThrow('tensor "f" is F64 but an int32 tensor')
  })

  it('that a scope has freed are refused before anything is written', async () => {
    await useExecutor(reference())
    const freed: Tensor[] = []
    scope(() => {
      freed.push(tensor([1, 2]))
    })
    expect(() => encodeSafetensors({ w: freed[0] })).toThrow('tensor "w" was freed')
  })
})

describe('bad input is refused at the call:', () => {
  const valid = { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) } as const
  it.each<{ what: string; call: () => unknown; message: string }>([
    {
      what: 'the reserved name',
      call: () => encodeSafetensors({ __metadata__: valid }),
      message: 'belongs to the metadata',
    },
    {
      what: 'a shape of another size',
      call: () => encodeSafetensors({ x: { ...valid, shape: [3] } }),
      message: 'tensor "x": shape [3] has 3 elements but data has 2',
    },
    {
      what: 'a negative extent',
      call: () => encodeSafetensors({ x: { ...valid, shape: [-2] } }),
      message: 'tensor "x": shape is [-2]',
    },
    {
      what: 'another array type',
      call: () => encodeSafetensors({ x: { ...valid, dtype: 'BF16', data: Float64Array.of(1, 2) } }),
      message: 'tensor "x": data is Float64Array but dtype BF16 takes Float32Array',
    },
    {
      what: 'a BOOL of 2',
      call: () => encodeSafetensors({ x: { dtype: 'BOOL', shape: [2], data: Uint8Array.of(1, 2) } }),
      message: 'tensor "x": element 1 is 2 but BOOL is 0 or 1',
    },
    {
      what: 'half of a surrogate pair in a name',
      call: () => encodeSafetensors({ '\ud800': valid }),
      message: 'surrogate',
    },
    {
      what: 'half of a surrogate pair in metadata',
      call: () => encodeSafetensors({ x: valid }, { metadata: { a: '\udc00' } }),
      message: 'metadata "a" has half of a surrogate pair',
    },
    {
      what: 'more elements than can be addressed',
      call: () => encodeSafetensors({ x: { dtype: 'F64', shape: [2 ** 52], data: () => new Float64Array(0) } }),
      message: 'too large to address',
    },
    {
      what: 'a header over 100 MB',
      call: () => encodeSafetensors({}, { metadata: { a: 'a'.repeat(100_000_000) } }),
      message: 'the header has 100000032 bytes',
    },
  ])('$what', ({ call, message }) => {
    expect(call).toThrow(message)
  })

  it('elements that come later are checked when they come', async () => {
    const later = { dtype: 'I32', shape: [2], data: () => Int32Array.of(1) } as const
    await expect(encodeToBytes({ x: later })).rejects.toThrow('shape [2] has 2 elements but data has 1')
  })
})

async function expectContents(file: SafetensorsFile, { tensors, metadata }: Contents): Promise<void> {
  expect(Object.entries(file.metadata).sort()).toEqual(Object.entries(metadata ?? {}).sort())
  expect([...file.entries.keys()].sort()).toEqual(Object.keys(tensors).sort())
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    expect(file.entries.get(name)).toMatchObject({ dtype, shape })
    const read = await file.read(name)
    expect(read.constructor).toBe(data.constructor)
    expect(bytesOf(read)).toEqual(bytesOf(data))
  }
}
