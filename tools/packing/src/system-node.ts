import { execFileSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { delimiter, join, sep } from 'node:path'

/**
 * The first Node on the path that is not installed in a `node_modules` folder and that the packages support
 * (20.19 or later), by absolute path: the Node that a user of the packages has.
 */
export function findSystemNode(): string | undefined {
  const file = process.platform === 'win32' ? 'node.exe' : 'node'
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, file))
    .filter((path) => existsSync(path) && !realpathSync(path).split(sep).includes('node_modules'))
    .find((path) => isSupported(execFileSync(path, ['--version'], { encoding: 'utf8' })))
}

function isSupported(version: string): boolean {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number)
  return major > 20 || (major === 20 && minor >= 19)
}
