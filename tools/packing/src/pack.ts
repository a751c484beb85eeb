import { join } from 'node:path'
import { type PublishedPackage, repository, runCommand } from '@mixtape-tools/workspace'

/** A package as it would be published. */
export interface Tarball extends PublishedPackage {
  /** Absolute path of the archive. */
  readonly path: string
  /** The files in it, relative to the package. */
  readonly files: readonly string[]
}

/** What `npm pack --json` says of each package. */
interface PackReport {
  readonly name: string
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

/** Packs built packages into a folder. @throws Error with npm's output when it fails. */
export async function pack(packages: readonly PublishedPackage[], into: string): Promise<readonly Tarball[]> {
  const workspaces = packages.flatMap(({ manifest }) => ['--workspace', manifest.name])
  const args = ['pack', '--json', '--silent', '--ignore-scripts', '--pack-destination', into, ...workspaces]
  const { code, output } = await runCommand('npm', args, { cwd: repository })
  const start = output.search(/^\[/m)
  if (code !== 0 || start === -1) throw new Error(`npm pack failed:\n${output}`)
  const reports: readonly PackReport[] = JSON.parse(output.slice(start))
  return packages.map((one) => {
    const report = reports.find(({ name }) => name === one.manifest.name)
    if (report === undefined) throw new Error(`npm pack made no archive of ${one.manifest.name}`)
    return { ...one, path: join(into, report.filename), files: report.files.map(({ path }) => path) }
  })
}
