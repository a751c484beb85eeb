import { gzipSync } from 'node:zlib'
import { repository } from '@mixtape-tools/workspace'
import { build } from 'esbuild'

/** A minified ES module for browsers. */
export interface Bundle {
  readonly code: string
  /** Bytes. */
  readonly minified: number
  /** Bytes after gzip at its highest level. */
  readonly gzip: number
  /** Files with code in the bundle, relative to the repository. */
  readonly files: readonly string[]
}

export interface BundleOptions {
  /** Where the module's imports are resolved from. Default: the repository. */
  readonly folder?: string
  /** Resolves our packages to their sources, or to their builds as users get them. Default `sources`. */
  readonly packages?: 'sources' | 'builds'
}

/**
 * Bundles a module for the browser, with everything it imports but the test runners of `/testing`.
 * @throws Error when an import cannot be resolved; a Node built-in never can.
 */
export async function bundle(code: string, options: BundleOptions = {}): Promise<Bundle> {
  const { folder = repository, packages = 'sources' } = options
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: folder, sourcefile: 'entry.js' },
    absWorkingDir: folder,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    conditions: packages === 'sources' ? ['mixtape-source'] : [],
    external: ['vitest', 'fast-check'],
    metafile: true,
    write: false,
    logLevel: 'silent',
  })
  const [{ contents, text }] = outputFiles
  const [{ inputs }] = Object.values(metafile.outputs)
  return {
    code: text,
    minified: contents.byteLength,
    gzip: gzipSync(contents, { level: 9 }).byteLength,
    files: Object.keys(inputs).filter((file) => inputs[file].bytesInOutput > 0),
  }
}
