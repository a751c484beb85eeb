import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publishedPackages, repository, runCommand } from '@mixtape-tools/workspace'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { pack, type Tarball } from './pack.ts'

/** Packs every package and prints what publint and "Are the types wrong?" have against it. */
const scratch = await mkdtemp(join(tmpdir(), 'mixtape-publishable-'))
try {
  const tarballs = await pack(publishedPackages(), scratch)
  const problems = await Promise.all(tarballs.flatMap((tarball) => [lint(tarball), resolveTypes(tarball)]))
  for (const problem of problems.flat()) console.error(problem)
  process.exitCode = problems.flat().length === 0 ? 0 : 1
} finally {
  await rm(scratch, { recursive: true })
}

async function lint({ path, manifest }: Tarball): Promise<readonly string[]> {
  const tarball = Uint8Array.from(await readFile(path)).buffer
  const { messages, pkg } = await publint({ pack: { tarball }, strict: true })
  return messages.map((message) => `${manifest.name}: ${formatMessage(message, pkg)}`)
}

async function resolveTypes({ path, manifest }: Tarball): Promise<readonly string[]> {
  const cli = join(repository, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js')
  const args = [cli, path, '--profile', 'esm-only', '--no-color', '--format', 'ascii']
  const { code, output } = await runCommand(process.execPath, args, { cwd: repository })
  return code === 0 ? [] : [`${manifest.name}: ${output.trim()}`]
}
