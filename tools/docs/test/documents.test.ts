import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Manifest, publishedPackages, repository } from '@mixtape-tools/workspace'
import { afterAll, expect, it } from 'vitest'
import { commandProblems } from '../src/commands.ts'
import { blocksOf, documents, linksOf } from '../src/documents.ts'
import { checkTypes, removeSnippets, runSnippet, writeSnippets } from '../src/snippets.ts'

const all = documents()
const blocks = all.flatMap(blocksOf)
const snippets = await writeSnippets(blocks.filter(({ language }) => language === 'ts'))
afterAll(() => removeSnippets(snippets))

it('every package has a README', () => {
  const missing = publishedPackages().filter(({ folder }) => !existsSync(join(folder, 'README.md')))
  expect(missing.map(({ manifest }) => manifest.name)).toEqual([])
})

it('every ts block type-checks', async () => {
  expect(await checkTypes(snippets)).toBe('')
})

it.each(snippets.map((snippet) => ({ snippet, place: `${snippet.block.file}:${snippet.block.line}` })))(
  '$place runs',
  ({ snippet }) => runSnippet(snippet),
)

it('every command names a script, package or program that exists', () => {
  const manifests = publishedPackages().map(({ manifest }) => manifest)
  const { scripts }: Manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
  const known = {
    scripts: new Set(Object.keys(scripts ?? {})),
    packages: new Set(manifests.map(({ name }) => name)),
    programs: new Set(manifests.flatMap(({ bin }) => Object.keys(bin ?? {}))),
  }
  const shell = blocks.filter(({ language }) => language === 'sh')
  expect(shell.flatMap((block) => commandProblems(block, known))).toEqual([])
})

it('every relative link leads to a file', () => {
  const broken = all.flatMap((document) =>
    linksOf(document)
      .filter(({ target }) => !existsSync(join(repository, dirname(document.file), target)))
      .map(({ target, line }) => `${document.file}:${line}: ${target}`),
  )
  expect(broken).toEqual([])
})
