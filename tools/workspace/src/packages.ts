import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './repository.ts'

/** The fields of a package.json that the tools read. */
export interface Manifest {
  readonly name: string
  readonly version?: string
  readonly private?: boolean
  readonly type?: string
  readonly sideEffects?: boolean | readonly string[]
  readonly engines?: Readonly<Record<string, string>>
  readonly files?: readonly string[]
  readonly bin?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

/** A package of `packages/`. */
export interface PublishedPackage {
  /** Absolute. */
  readonly folder: string
  readonly manifest: Manifest
}

/** The packages that users install, by name. */
export function publishedPackages(): readonly PublishedPackage[] {
  const parent = join(repository, 'packages')
  return readdirSync(parent)
    .sort()
    .map((name) => join(parent, name))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
}

/** One entry point: what users import, and the file that it is in the repository. */
export interface Entry {
  /** Such as `@mixtape/autodiff/wasm`. */
  readonly specifier: string
  /** Relative to the package's folder, such as `src/executors/wasm/index.ts`. */
  readonly source: string
  /** Whether it may use Node: the `node` entries of the libraries, and all of eval, a program. */
  readonly nodeOnly: boolean
}

/** The entry points of a package, in the order of its `exports`. */
export function entriesOf({ name, exports = {} }: Manifest): readonly Entry[] {
  return Object.entries(exports).flatMap(([path, conditions]) => {
    const source = conditions['mixtape-source']
    if (source === undefined) return []
    const nodeOnly = name === '@mixtape/eval' || path === './node' || path.startsWith('./node/')
    return [{ specifier: name + path.slice(1), source: source.replace(/^\.\//, ''), nodeOnly }]
  })
}
