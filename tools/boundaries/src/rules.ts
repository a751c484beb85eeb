import { browserRule } from './browser.ts'
import { dependencyRules } from './dependencies.ts'
import { manifestRule } from './manifest.ts'
import type { Package } from './package.ts'

/** Where a rule is broken, and what must change. */
export interface Violation {
  /** Relative to the package's folder. */
  readonly file: string
  readonly line: number
  readonly message: string
}

export interface Rule {
  readonly name: string
  /** What `subject` does wrong, given all packages of the repository. */
  check(subject: Package, all: readonly Package[]): Iterable<Violation>
}

const esmRule: Rule = {
  name: 'esm',
  *check({ sources }) {
    for (const [file, { commonJs }] of sources) {
      if (/\.c[jt]s$/.test(file)) yield { file, line: 1, message: 'is CommonJS but must be an ES module' }
      for (const line of commonJs) yield { file, line, message: 'uses CommonJS; use import and export' }
    }
  },
}

const namedExportsRule: Rule = {
  name: 'named-exports',
  *check({ sources }) {
    for (const [file, { defaultExports }] of sources) {
      for (const line of defaultExports) yield { file, line, message: 'has a default export; give it a name' }
    }
  },
}

/** What every package of the repository keeps. */
export const rules: readonly Rule[] = [...dependencyRules, browserRule, manifestRule, esmRule, namedExportsRule]
