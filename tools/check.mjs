// Everything that can be known without running the code: types, lint, formatting, unused code, package boundaries and
// whether the packages can be published. Prints only what is wrong.
import { spawn } from 'node:child_process'

const typescript = ['--conditions=mixtape-source']

/** @type {[name: string, command: string, args: string[]][]} */
const first = [
  ['types', 'tsc', ['-b', 'tsconfig.json', 'tsconfig.tests.json']],
  ['lint and formatting', 'biome', ['check', '--error-on-warnings', '.']],
  ['unused code', 'knip', ['--no-progress', '--no-config-hints']],
  ['boundaries', 'node', [...typescript, 'tools/boundaries/src/main.ts']],
]

const results = await Promise.all(first.map((step) => run(...step)))
// Packs what `types` has built.
results.push(await run('publishability', 'node', [...typescript, 'tools/packing/src/publishable.ts']))
process.exitCode = results.includes(false) ? 1 : 0

/**
 * Runs a command and shows its output if it fails.
 * @param {string} name
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<boolean>} whether it succeeded
 */
function run(name, command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' })
    /** @type {Buffer[]} */
    const output = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => output.push(data))
    child.on('error', (error) => output.push(Buffer.from(String(error))))
    child.on('close', (code) => {
      if (code !== 0) console.error(`✗ ${name}\n${Buffer.concat(output).toString().trimEnd()}\n`)
      resolve(code === 0)
    })
  })
}
