import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import { entriesOf } from '@mixtape-tools/workspace'
import { layers, type Package } from './package.ts'
import type { Rule } from './rules.ts'

/** Imports and declared dependencies point down; apps may use anything. */
const layersRule: Rule = {
  name: 'layers',
  *check(subject, all) {
    const above = (name: string): string | undefined => {
      const target = all.find(({ manifest }) => manifest.name === name)
      if (target === undefined || target === subject || subject.layer === 'apps') return undefined
      if (layers.indexOf(target.layer) < layers.indexOf(subject.layer)) return undefined
      return `${name} (${target.layer}) but ${subject.manifest.name} (${subject.layer}) may only use layers below its own`
    }
    for (const name of declaredBy(subject)) {
      const message = above(name)
      if (message !== undefined) yield { file: 'package.json', line: 1, message: `depends on ${message}` }
    }
    for (const { file, line, specifier } of importsOf(subject)) {
      const message = above(packageName(specifier))
      if (message !== undefined) yield { file, line, message: `imports ${message}` }
    }
  },
}

/** Packages meet at their entry points only. */
const entryPointsRule: Rule = {
  name: 'entry-points',
  *check(subject, all) {
    for (const { file, line, specifier } of importsOf(subject)) {
      if (specifier.startsWith('.')) {
        if (posix.join(posix.dirname(file), specifier).startsWith('src/')) continue
        yield { file, line, message: `imports ${specifier}, outside of its package's src` }
      }
      const target = all.find(({ manifest }) => manifest.name === packageName(specifier))
      if (target === undefined || entriesOf(target.manifest).some((entry) => entry.specifier === specifier)) continue
      yield { file, line, message: `imports ${specifier}, which is no entry point of ${target.manifest.name}` }
    }
  },
}

/** What sources import is in the package's manifest. */
const declaredRule: Rule = {
  name: 'declared',
  *check(subject) {
    const declared = declaredBy(subject)
    for (const { file, line, specifier } of importsOf(subject)) {
      const name = packageName(specifier)
      if (specifier.startsWith('.') || isBuiltin(specifier) || declared.has(name)) continue
      const message =
        name === subject.manifest.name
          ? `imports ${specifier}, its own package; import relatively`
          : `imports ${specifier} but package.json does not declare ${name}`
      yield { file, line, message }
    }
  },
}

export const dependencyRules: readonly Rule[] = [layersRule, entryPointsRule, declaredRule]

function declaredBy({ manifest }: Package): ReadonlySet<string> {
  return new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
}

function* importsOf({ sources }: Package): Iterable<{ file: string; line: number; specifier: string }> {
  for (const [file, { imports }] of sources) {
    for (const reference of imports) yield { file, ...reference }
  }
}

/** `@scope/name/deep` → `@scope/name`. */
function packageName(specifier: string): string {
  const parts = specifier.split('/')
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}
