import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * Folder of an installed data package: below `MIXTAPE_DATA` when that is set (laid out like a `node_modules` folder),
 * else where Node finds it from the working directory, else from this package. Nothing is downloaded.
 *
 * @returns the package's folder, which holds its `package.json`
 * @throws Error when the package is nowhere; the message says how to install it
 */
export function locateDataPackage(name: string): string {
  const given = process.env.MIXTAPE_DATA
  const folder = [...(given ? [join(given, name)] : []), ...resolved(name)].find((candidate) =>
    existsSync(join(candidate, 'package.json')),
  )
  if (folder === undefined) {
    const searched = given
      ? `below MIXTAPE_DATA (${given}) or in node_modules`
      : 'in node_modules; MIXTAPE_DATA is unset'
    throw new Error(`data package ${name} was not found ${searched}. Install it with: npm install ${name}`)
  }
  return folder
}

function resolved(name: string): readonly string[] {
  const workingDirectory = pathToFileURL(join(process.cwd(), 'package.json')).href
  return [workingDirectory, import.meta.url].flatMap((from) =>
    (createRequire(from).resolve.paths(name) ?? []).map((folder) => join(folder, name)),
  )
}
