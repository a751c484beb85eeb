import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { repository, runCommand } from '@mixtape-tools/workspace'
import type { Tarball } from './pack.ts'

/**
 * Makes an empty folder a project that has installed the packed packages, without the network: the libraries by npm, whose
 * dependencies are each other; a program with third-party dependencies by unpacking it, with those linked from the
 * repository.
 */
export async function installAll(tarballs: readonly Tarball[], folder: string): Promise<void> {
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  const programs = tarballs.filter((tarball) => thirdParty(tarball).length > 0)
  const libraries = tarballs.filter((tarball) => !programs.includes(tarball)).map(({ path }) => path)
  const quiet = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  await succeed('npm', ['install', ...quiet, ...libraries], folder)
  for (const program of programs) await unpack(program, folder)
  for (const name of ['@types/node', 'fast-check', 'vitest']) await link(name, repository, folder)
}

/** Type-checks and compiles the TypeScript files of `sources` in a consumer's project, as strictly as a user may. */
export async function compile(sources: string, folder: string): Promise<void> {
  for (const file of await readdir(sources)) await copyFile(join(sources, file), join(folder, file))
  const strict = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,esnext.disposable,dom']
  const tsc = [join(repository, 'node_modules', 'typescript', 'bin', 'tsc'), ...strict, '--ignoreConfig']
  await succeed(process.execPath, [...tsc, '--types', '', 'browser.ts'], folder)
  await succeed(process.execPath, [...tsc, '--types', 'node', '--skipLibCheck', 'node.ts'], folder)
}

function thirdParty({ manifest }: Tarball): readonly string[] {
  return Object.keys(manifest.dependencies ?? {}).filter((name) => !name.startsWith('@mixtape/'))
}

async function unpack(tarball: Tarball, folder: string): Promise<void> {
  const target = join(folder, 'node_modules', tarball.manifest.name)
  await mkdir(target, { recursive: true })
  await succeed('tar', ['-xzf', tarball.path, '--strip-components=1', '-C', target], folder)
  for (const name of thirdParty(tarball)) await link(name, tarball.folder, target)
}

/** Links a package as it is installed for `from` into `folder`. */
async function link(name: string, from: string, folder: string): Promise<void> {
  const parents = createRequire(join(from, 'package.json')).resolve.paths(name) ?? []
  const installed = parents.map((parent) => join(parent, name)).find((path) => existsSync(path))
  if (installed === undefined) throw new Error(`${name} is not installed for ${from}`)
  const place = join(folder, 'node_modules', name)
  await mkdir(dirname(place), { recursive: true })
  await symlink(installed, place, 'junction')
}

async function succeed(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { code, output } = await runCommand(command, args, { cwd })
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${output}`)
}
