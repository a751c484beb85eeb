import type { Manifest } from '@mixtape-tools/workspace'
import type { Rule } from './rules.ts'

/** A package is an ES module without side effects, for Node ≥ 20.19, and brings no third-party code along below apps. */
export const manifestRule: Rule = {
  name: 'manifest',
  *check({ manifest, layer }) {
    const messages = [
      ...fieldProblems(manifest),
      ...exportProblems(manifest),
      ...(layer === 'apps' ? [] : dependencyProblems(manifest)),
    ]
    for (const message of messages) yield { file: 'package.json', line: 1, message }
  },
}

function* fieldProblems({ type, sideEffects, engines }: Manifest): Iterable<string> {
  if (type !== 'module') yield `type is ${type} but must be module`
  if (sideEffects !== false) yield `sideEffects is ${JSON.stringify(sideEffects)} but must be false`
  if (engines?.node !== '>=20.19') yield `engines.node is ${engines?.node} but must be >=20.19`
}

/** Sources for the repository, then types, then the build. */
function* exportProblems({ exports = {} }: Manifest): Iterable<string> {
  if (exports['.'] === undefined) yield 'exports has no "."'
  for (const [path, conditions] of Object.entries(exports)) {
    const names = Object.keys(conditions).join(', ')
    if (names !== 'mixtape-source, types, default') {
      yield `exports["${path}"] has conditions ${names} but must have mixtape-source, types, default`
      continue
    }
    const output = conditions['mixtape-source'].replace('./src/', './dist/').replace(/\.tsx?$/, '')
    if (conditions.types !== `${output}.d.ts` || conditions.default !== `${output}.js`) {
      yield `exports["${path}"] must name ${output}.d.ts and ${output}.js, the build of its source`
    }
  }
}

function* dependencyProblems({ dependencies = {}, peerDependencies = {}, peerDependenciesMeta }: Manifest) {
  for (const name of Object.keys(dependencies)) {
    if (!name.startsWith('@mixtape/')) yield `depends on ${name}; only packages of this repository may be dependencies`
  }
  for (const name of Object.keys(peerDependencies)) {
    if (peerDependenciesMeta?.[name]?.optional !== true) yield `peer dependency ${name} must be optional`
  }
}
