import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url))

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `mixtape` from its sources, in a process group of its own. `onError` sees what it has written to stderr so far. */
export function mixtape(
  args: readonly string[],
  onError: (stderr: string, child: ChildProcess) => void = () => {},
): Promise<CliResult> {
  const child = spawn(process.execPath, ['--conditions=mixtape-source', cli, ...args], { detached: true })
  const written = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    written.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    written.stderr += chunk
    onError(written.stderr, child)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...written }))
  })
}

/** As a terminal does it: to the process and all its children. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined) process.kill(-child.pid, signal)
}
