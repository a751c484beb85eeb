import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** Where a number was made. */
export interface Environment {
  readonly mixtape: string
  readonly node: string
  readonly platform: string
  readonly cpu: string
  /** `git describe` of the working directory; absent outside of a repository. */
  readonly git?: string
}

export function environment(): Environment {
  const git = gitState()
  return {
    mixtape: ownVersion(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    ...(git === undefined ? {} : { git }),
  }
}

/** Version of this package. */
export function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const named = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return named ? String(manifest.version) : 'unknown'
}

function gitState(): string | undefined {
  try {
    const described = execFileSync('git', ['describe', '--always', '--dirty', '--tags'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return described.trim()
  } catch {
    return undefined
  }
}
