import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Manifest, PublishedPackage } from '@mixtape-tools/workspace'
import { parseSource, type SourceModule } from './source.ts'

/** The floors of the house, lowest first. */
export const layers = ['ground', 'modules', 'mixers', 'apps'] as const

export type Layer = (typeof layers)[number]

/** A package as the rules see it. */
export interface Package {
  /** Without the scope, such as `mixer-gla`. */
  readonly shortName: string
  readonly layer: Layer
  readonly manifest: Manifest
  /** By path relative to the package's folder, such as `src/index.ts`. */
  readonly sources: ReadonlyMap<string, SourceModule>
}

/** A package from its manifest and the text of its source files, by path relative to its folder. */
export function makePackage(manifest: Manifest, sources: Readonly<Record<string, string>>): Package {
  const shortName = manifest.name.replace('@mixtape/', '')
  const parsed = Object.entries(sources).map(([file, text]) => [file, parseSource(file, text)] as const)
  return { shortName, layer: layerOf(shortName), manifest, sources: new Map(parsed) }
}

/** Reads a package and its sources from disk. */
export function readPackage({ folder, manifest }: PublishedPackage): Package {
  const files = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
    .map((file) => `src/${file.replaceAll('\\', '/')}`)
    .filter((file) => /\.[cm]?[jt]sx?$/.test(file))
  const texts = files.map((file) => [file, readFileSync(join(folder, file), 'utf8')] as const)
  return makePackage(manifest, Object.fromEntries(texts))
}

function layerOf(shortName: string): Layer {
  if (shortName === 'autodiff') return 'ground'
  if (shortName === 'nn') return 'modules'
  if (shortName.startsWith('mixer-')) return 'mixers'
  return 'apps'
}
