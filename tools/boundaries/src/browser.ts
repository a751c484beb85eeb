import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import { entriesOf } from '@mixtape-tools/workspace'
import type { Package } from './package.ts'
import type { Rule, Violation } from './rules.ts'

/** Nothing that a browser-facing entry point reaches, in types or in values, imports a Node built-in. */
export const browserRule: Rule = {
  name: 'browser',
  *check(subject, all) {
    for (const { specifier, source, nodeOnly } of entriesOf(subject.manifest)) {
      if (!nodeOnly) yield* reach(subject, specifier, source, all)
    }
  },
}

function* reach(subject: Package, entry: string, source: string, all: readonly Package[]): Iterable<Violation> {
  const seen = new Set([source])
  for (const file of seen) {
    const module = subject.sources.get(file)
    if (module === undefined) {
      yield { file, line: 1, message: `is missing but ${entry} reaches it` }
      continue
    }
    for (const { specifier, line } of module.imports) {
      if (specifier.startsWith('.')) seen.add(posix.join(posix.dirname(file), specifier))
      else if (isBuiltin(specifier) || isNodeEntry(specifier, all)) {
        yield { file, line, message: `imports ${specifier} but the browser-facing ${entry} reaches it` }
      }
    }
  }
}

/** Other packages answer for their browser-facing entries themselves; only their Node entries must not be used here. */
function isNodeEntry(specifier: string, all: readonly Package[]): boolean {
  return all.some(({ manifest }) => entriesOf(manifest).some((e) => e.specifier === specifier && e.nodeOnly))
}
