import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSafetensorsFile, writeSafetensorsFile } from '@mixtape/autodiff/node'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bytesOf, contents, encodeToBytes } from './safetensors-files.ts'

let directory = ''

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mixtape-safetensors-'))
})

afterAll(async () => {
  await rm(directory, { recursive: true })
})

it('any tensors and metadata come back from disk bit for bit', async () => {
  const path = join(directory, 'model.safetensors')
  await fc.assert(
    fc.asyncProperty(contents(), async ({ tensors, metadata }) => {
      await writeSafetensorsFile(path, tensors, { metadata })
      expect(new Uint8Array(await readFile(path))).toEqual(await encodeToBytes(tensors, { metadata }))
      await using file = await openSafetensorsFile(path)
      expect(Object.entries(file.metadata).sort()).toEqual(Object.entries(metadata ?? {}).sort())
      expect([...file.entries.keys()].sort()).toEqual(Object.keys(tensors).sort())
      for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
        expect(file.entries.get(name)).toMatchObject({ dtype, shape })
        expect(bytesOf(await file.read(name))).toEqual(bytesOf(data))
      }
    }),
  )
  expect(await readdir(directory)).toEqual(['model.safetensors'])
})

it('a write that fails at any tensor leaves the old file as it was and nothing else', async () => {
  const place = await mkdtemp(join(directory, 'failing-'))
  const path = join(place, 'model.safetensors')
  await writeFile(path, 'the old file')
  await fc.assert(
    fc.asyncProperty(contents(1), fc.nat(), fc.boolean(), async ({ tensors }, choice, throws) => {
      const names = Object.keys(tensors)
      const broken = names[choice % names.length]
      const failing = Object.entries(tensors).map(([name, stored]) => [
        name,
        { ...stored, data: async () => (name !== broken ? stored.data : throws ? fail() : new Float64Array(1000)) },
      ])
      await expect(writeSafetensorsFile(path, Object.fromEntries(failing))).rejects.toThrow(throws ? 'lost' : 'data')
      expect(await readFile(path, 'utf8')).toBe('the old file')
      expect(await readdir(place)).toEqual(['model.safetensors'])
    }),
  )
})

it('a write that cannot be renamed into place leaves no temporary file', async () => {
  const place = await mkdtemp(join(directory, 'renaming-'))
  await mkdir(join(place, 'model.safetensors', 'in the way'), { recursive: true })
  await expect(writeSafetensorsFile(join(place, 'model.safetensors'), {})).rejects.toThrow('rename')
  expect(await readdir(place)).toEqual(['model.safetensors'])
})

it('bad input is refused before a file is made', async () => {
  const bad = { x: { dtype: 'U8', shape: [2], data: Uint8Array.of(1) } } as const
  await expect(writeSafetensorsFile(join(directory, 'absent', 'a'), bad)).rejects.toThrow(
    'has 2 elements but data has 1',
  )
})

it('a malformed file is refused by path', async () => {
  const path = join(directory, 'malformed')
  await writeFile(path, 'short')
  await expect(openSafetensorsFile(path)).rejects.toThrow(`${path}: safetensors: the file has 5 bytes`)
  await expect(openSafetensorsFile(directory)).rejects.toThrow(`${directory}: is no regular file`)
  await expect(openSafetensorsFile(join(directory, 'absent'))).rejects.toThrow('ENOENT')
})

it('a file that is cut after opening, or closed, says so when it is read', async () => {
  const path = join(directory, 'cut')
  await writeSafetensorsFile(path, { x: { dtype: 'F64', shape: [2], data: Float64Array.of(1, 2) } })
  const file = await openSafetensorsFile(path)
  const size = (await readFile(path)).length
  await truncate(path, size - 8)
  await expect(file.read('x')).rejects.toThrow(`the file now ends at byte ${size - 8}`)
  await file.close()
  await file.close()
  await expect(file.read('x')).rejects.toThrow('the file was read after it was closed')
})

function fail(): never {
  throw new Error('lost')
}
