import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { entriesOf, publishedPackages, repository, runCommand } from '@mixtape-tools/workspace'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { bundle } from '../src/bundle.ts'
import { compile, installAll } from '../src/consumer.ts'
import { pack, type Tarball } from '../src/pack.ts'
import { findSystemNode } from '../src/system-node.ts'

const packages = publishedPackages()
const systemNode = findSystemNode()
let scratch = ''
let consumer = ''
let tarballs: readonly Tarball[] = []

beforeAll(async () => {
  const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
  const { code, output } = await runCommand(process.execPath, [tsc, '-b', repository])
  if (code !== 0) throw new Error(`the packages do not build:\n${output}`)
  scratch = await mkdtemp(join(tmpdir(), 'mixtape-packing-'))
  consumer = join(scratch, 'consumer')
  await mkdir(consumer)
  tarballs = await pack(packages, scratch)
  await installAll(tarballs, consumer)
})

afterAll(() => rm(scratch, { recursive: true, force: true }))

describe.each(packages.map(({ manifest }) => manifest.name))('%s as packed', (name) => {
  it('holds its build, its sources and what npm adds, and nothing else', () => {
    const files = tarballs.find(({ manifest }) => manifest.name === name)?.files ?? []
    const belongs = /^(dist\/.+\.(js|d\.ts)(\.map)?|src\/.+\.tsx?|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/
    expect(files.filter((file) => !belongs.test(file))).toEqual([])
    expect(files).toEqual(expect.arrayContaining(['package.json', 'LICENSE', 'README.md']))
  })
})

it('type-checks from the consumer’s side, and trains and saves on the system’s Node', async (context) => {
  await compile(join(import.meta.dirname, 'consumer'), consumer)
  const node = systemNodeOrSkip(context)
  const { losses, bytes } = await run(node, 'browser.js')
  expect(losses).toHaveLength(12)
  expect(losses[11]).toBeLessThan(losses[0])
  expect(bytes).toBeGreaterThan(10_000)
  expect(await run(node, 'node.js')).toHaveProperty('names', expect.arrayContaining(['saveCheckpoint']))
})

const programs = packages.flatMap(({ manifest }) =>
  Object.entries(manifest.bin ?? {}).map(([program, file]) => ({ program, path: join(manifest.name, file) })),
)
it.for(programs)('$program --help works on the system’s Node', async ({ path }, context) => {
  const node = systemNodeOrSkip(context)
  const { code, output } = await runCommand(node, [join('node_modules', path), '--help'], { cwd: consumer })
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('Usage:') })
})

const facing = packages.flatMap(({ manifest }) => entriesOf(manifest)).filter(({ nodeOnly }) => !nodeOnly)
it.each(facing)('$specifier bundles for the browser, without a Node built-in', async ({ specifier }) => {
  const { files } = await bundle(`export * from '${specifier}'`, { folder: consumer, packages: 'builds' })
  expect(files.filter((file) => !/^(entry\.js|node_modules\/@mixtape\/[^/]+\/dist\/.+\.js)$/.test(file))).toEqual([])
})

/** Skips, loudly, where the only Node is the repository's own. */
function systemNodeOrSkip(context: TestContext): string {
  return systemNode ?? context.skip('SKIPPED: no Node ≥ 20.19 outside of node_modules is on the path')
}

/** What a program of the consumer prints, as JSON. */
async function run(node: string, file: string) {
  const { code, output } = await runCommand(node, [file], { cwd: consumer })
  if (code !== 0) throw new Error(`${file} failed on ${node}:\n${output}`)
  return JSON.parse(output)
}
