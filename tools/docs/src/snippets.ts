import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { repository, runCommand } from '@mixtape-tools/workspace'
import type { Block } from './documents.ts'

/** A block as a module of its own, in which each line of code has the number that it has in the document. */
export interface Snippet {
  readonly block: Block
  /** Absolute path. */
  readonly path: string
}

/** Writes blocks to a fresh folder of the repository, so that they import what any program in it can. */
export async function writeSnippets(blocks: readonly Block[]): Promise<readonly Snippet[]> {
  if (blocks.length === 0) return []
  const parent = join(repository, '.tmp')
  await mkdir(parent, { recursive: true })
  const folder = await mkdtemp(join(parent, 'docs-'))
  const compilerOptions = { moduleDetection: 'force', noUnusedLocals: false, tsBuildInfoFile: null, incremental: false }
  const config = { extends: '../../tsconfig.tests.json', compilerOptions, include: ['.'] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  return Promise.all(
    blocks.map(async (block) => {
      const path = join(folder, `${block.file.replaceAll('/', '-')}.${block.line}.ts`)
      await writeFile(path, '\n'.repeat(block.line - 1) + block.code)
      return { block, path }
    }),
  )
}

/** Removes what {@link writeSnippets} wrote. */
export async function removeSnippets(snippets: readonly Snippet[]): Promise<void> {
  for (const folder of new Set(snippets.map(({ path }) => dirname(path)))) await rm(folder, { recursive: true })
}

/** Type-checks snippets of one folder. @returns the compiler's errors, by line of the document; empty when there are none */
export async function checkTypes(snippets: readonly Snippet[]): Promise<string> {
  if (snippets.length === 0) return ''
  const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
  const { output } = await runCommand(process.execPath, [tsc, '-p', dirname(snippets[0].path)], { cwd: repository })
  return snippets.reduce(inDocument, output)
}

/**
 * Runs a snippet in a process of its own, in an empty working directory: as a test file where it uses the property-test
 * kit or vitest, else as a program.
 * @throws Error with what it printed, by line of the document, when it fails.
 */
export async function runSnippet(snippet: Snippet): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'mixtape-docs-'))
  try {
    const { code, output } = await (isTest(snippet) ? runTest(snippet) : runProgram(snippet, scratch))
    if (code !== 0) throw new Error(inDocument(output, snippet))
  } finally {
    await rm(scratch, { recursive: true })
  }
}

function isTest({ block }: Snippet): boolean {
  return /from '(vitest|@mixtape\/autodiff\/testing)'/.test(block.code)
}

function runProgram({ path }: Snippet, cwd: string) {
  return runCommand(process.execPath, ['--conditions=mixtape-source', path], { cwd })
}

function runTest({ path }: Snippet) {
  const vitest = join(repository, 'node_modules', 'vitest', 'vitest.mjs')
  const config = join(repository, 'tools', 'docs', 'snippets.config.ts')
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST'))
  const env = { ...Object.fromEntries(inherited), NO_COLOR: '1', FORCE_COLOR: undefined }
  const args = [vitest, 'run', '--config', config, relative(repository, path)]
  return runCommand(process.execPath, args, { cwd: repository, env })
}

/** Names the document instead of the snippet's file in what was printed. */
function inDocument(output: string, { path, block }: Snippet): string {
  const names = [path, relative(repository, path), basename(path)]
  return names.reduce(
    (text, name) => text.replaceAll(`file://${name}`, block.file).replaceAll(name, block.file),
    output,
  )
}
