import type { Manifest } from '@mixtape-tools/workspace'
import { describe, expect, it } from 'vitest'
import { makePackage, type Package } from '../src/package.ts'
import { rules } from '../src/rules.ts'

type Sources = Readonly<Record<string, string>>

/** A package that keeps every rule, but for what is overridden. */
function fixture(shortName: string, sources: Sources = {}, overrides: Partial<Manifest> = {}): Package {
  const manifest = {
    name: `@mixtape/${shortName}`,
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20.19' },
    exports: { '.': entry('index') },
    ...overrides,
  }
  return makePackage(manifest, { 'src/index.ts': '', ...sources })
}

function entry(path: string): Readonly<Record<string, string>> {
  return { 'mixtape-source': `./src/${path}.ts`, types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` }
}

const withNode = { '.': entry('index'), './node': entry('node/index') }
const autodiff = fixture(
  'autodiff',
  { 'src/node/index.ts': "import 'node:fs'", 'src/tape.ts': '' },
  { exports: withNode },
)
const nn = fixture('nn', {}, { dependencies: { '@mixtape/autodiff': '1.0.0' } })
const gla = fixture('mixer-gla', {}, { dependencies: { '@mixtape/autodiff': '1.0.0', '@mixtape/nn': '1.0.0' } })
const evaluation = fixture('eval', { 'src/index.ts': "import 'node:fs'" })
const sound = [autodiff, nn, gla, evaluation]

/** Every violation among the sound packages with `broken` in the place of the one of its name, as `rule file:line`. */
function violations(broken?: Package): readonly string[] {
  const all = sound.map((one) => (one.shortName === broken?.shortName ? broken : one))
  return rules.flatMap(({ name, check }) =>
    all.flatMap((subject) => [...check(subject, all)].map(({ file, line }) => `${name} ${file}:${line}`)),
  )
}

const below = { dependencies: { '@mixtape/autodiff': '1.0.0', '@mixtape/nn': '1.0.0' } }
const index = (text: string): Sources => ({ 'src/index.ts': text })

it('packages that keep the rules have no violation', () => {
  expect(violations()).toEqual([])
})

describe('layers: imports and dependencies point down', () => {
  it.each(['nn', 'mixer-gla', 'eval'])('autodiff imports nothing of ours, such as %s', (name) => {
    const dependencies = { [`@mixtape/${name}`]: '1.0.0' }
    const found = violations(fixture('autodiff', index(`\nimport '@mixtape/${name}'`), { dependencies }))
    expect(found).toContain('layers src/index.ts:2')
    expect(found).toContain('layers package.json:1')
  })

  it('a mixer does not import another mixer', () => {
    const other = fixture('mixer-other', index("import type { GLA } from '@mixtape/mixer-gla'"), {
      dependencies: { '@mixtape/mixer-gla': '1.0.0' },
    })
    const found = rules.flatMap(({ name, check }) =>
      [...check(other, [...sound, other])].map(({ file }) => [name, file]),
    )
    expect(found).toEqual([
      ['layers', 'package.json'],
      ['layers', 'src/index.ts'],
    ])
  })

  it('a mixer may import autodiff and nn', () => {
    const text = "import '@mixtape/autodiff'\nexport * from '@mixtape/nn'"
    expect(violations(fixture('mixer-gla', index(text), below))).toEqual([])
  })
})

describe('entry-points: packages meet at their entry points only', () => {
  it.each([
    ["import '@mixtape/autodiff/src/tape.ts'"],
    ["export { record } from '@mixtape/autodiff/tape'"],
    ["const tape = await import('@mixtape/autodiff/tape')"],
    ["type Tape = import('@mixtape/autodiff/tape').Tape"],
    ["import '../../autodiff/src/tape.ts'"],
    ["import '../test/helper.ts'"],
  ])('%s is caught', (text) => {
    expect(violations(fixture('mixer-gla', index(text), below))).toContain('entry-points src/index.ts:1')
  })
})

describe('declared: sources import what package.json declares', () => {
  it.each(["import 'commander'", "import '@mixtape/nn'", "import '@mixtape/mixer-gla'"])('%s is caught', (text) => {
    expect(violations(fixture('mixer-gla', index(text)))).toContain('declared src/index.ts:1')
  })
})

describe('browser: no Node built-in is reached from a browser-facing entry point', () => {
  it.each([
    ['directly', { 'src/index.ts': "import { readFile } from 'node:fs/promises'" }, 'browser src/index.ts:1'],
    ['without the prefix', { 'src/index.ts': "import 'fs'" }, 'browser src/index.ts:1'],
    ['as a type', { 'src/index.ts': "import type { Stats } from 'node:fs'" }, 'browser src/index.ts:1'],
    [
      'through another file',
      { 'src/index.ts': "import './a.ts'", 'src/a.ts': "\nimport 'node:os'" },
      'browser src/a.ts:2',
    ],
    ['through a Node entry', { 'src/index.ts': "import '@mixtape/autodiff/node'" }, 'browser src/index.ts:1'],
    ['through a missing file', { 'src/index.ts': "import './gone.ts'" }, 'browser src/gone.ts:1'],
  ])('%s', (_how, sources, expected) => {
    expect(violations(fixture('mixer-gla', sources, below))).toEqual([expected])
  })
})

describe('manifest: ESM, no side effects, no third-party code', () => {
  it.each<[string, Partial<Manifest>]>([
    ['CommonJS', { type: 'commonjs' }],
    ['side effects', { sideEffects: true }],
    ['side effects not ruled out', { sideEffects: undefined }],
    ['another Node', { engines: { node: '>=22' } }],
    ['a third-party dependency', { dependencies: { 'left-pad': '1.0.0' } }],
    ['a peer that is not optional', { peerDependencies: { 'gpu.js': '2.0.0' } }],
    ['no main entry', { exports: {} }],
    ['a require condition', { exports: { '.': { ...entry('index'), require: './dist/index.cjs' } } }],
    ['a build that is not that of its source', { exports: { '.': { ...entry('index'), default: './dist/main.js' } } }],
  ])('%s is caught', (_what, overrides) => {
    expect(violations(fixture('mixer-gla', {}, overrides))).toEqual(['manifest package.json:1'])
  })

  it('an app may depend on third-party code', () => {
    expect(violations(fixture('eval', {}, { dependencies: { commander: '1.0.0' } }))).toEqual([])
  })
})

describe('esm: no CommonJS', () => {
  it.each(["const fs = require('x')", "import fs = require('x')", 'module.exports = {}'])('%s is caught', (text) => {
    expect(violations(fixture('mixer-gla', index(text)))).toContain('esm src/index.ts:1')
  })

  it('a .cts file is caught', () => {
    expect(violations(fixture('mixer-gla', { 'src/old.cts': '' }))).toEqual(['esm src/old.cts:1'])
  })
})

describe('named-exports: no default exports', () => {
  it.each(['export default 1', 'const a = 1\nexport { a as default }', "export { default } from './a.ts'"])(
    '%s is caught',
    (text) => {
      const line = text.split('\n').length
      const found = violations(fixture('mixer-gla', { 'src/a.ts': '', 'src/index.ts': text }))
      expect(found).toEqual([`named-exports src/index.ts:${line}`])
    },
  )
})
