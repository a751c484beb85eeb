/** A limit on what a web page has to load. */
export interface Budget {
  readonly name: string
  /** The module that the page's bundle starts from. */
  readonly code: string
  /** Limit on the minified bundle in gzip, bytes. */
  readonly gzipBytes: number
}

/** Every entry point that a web page may load, whole, and the parts that are meant to be loaded alone. */
export const budgets: readonly Budget[] = [
  { name: '@mixtape/autodiff', code: all('@mixtape/autodiff'), gzipBytes: 20_000 },
  { name: '@mixtape/autodiff/wasm', code: all('@mixtape/autodiff/wasm'), gzipBytes: 12_000 },
  { name: '@mixtape/autodiff/safetensors', code: all('@mixtape/autodiff/safetensors'), gzipBytes: 8_000 },
  { name: '@mixtape/autodiff/testing', code: all('@mixtape/autodiff/testing'), gzipBytes: 30_000 },
  { name: '@mixtape/nn', code: all('@mixtape/nn'), gzipBytes: 24_000 },
  { name: '@mixtape/mixer-gla', code: all('@mixtape/mixer-gla'), gzipBytes: 28_000 },
  {
    name: 'autodiff + wasm + mixer-gla',
    code: all('@mixtape/autodiff', '@mixtape/autodiff/wasm', '@mixtape/mixer-gla'),
    gzipBytes: 40_000,
  },
]

function all(...specifiers: readonly string[]): string {
  return specifiers.map((specifier, i) => `export * as part${i} from '${specifier}'`).join('\n')
}
