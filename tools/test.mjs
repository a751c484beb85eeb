// Everything CI does after the install: build, check, tests. Ends with `N passed, N failed`.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const scratch = mkdtempSync(join(tmpdir(), 'mixtape-test-'))
const results = join(scratch, 'vitest.json')

/** Each step is counted as one test; vitest's own tests are counted one by one. */
const steps = [
  ['build', 'nx', ['run-many', '-t', 'build', '--output-style=static']],
  ['check', 'npm', ['run', '--silent', 'check']],
  ['unit tests', 'vitest', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${results}`]],
]

let passed = 0
let failed = 0
let skipped = 0
for (const [name, command, args] of steps) {
  console.log(`\n— ${name}`)
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' })
  if (command === 'vitest' && count()) continue
  if (status === 0) passed++
  else {
    failed++
    console.error(`${name} failed`)
  }
}
rmSync(scratch, { recursive: true, force: true })
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exit(failed === 0 ? 0 : 1)

/** Adds what vitest reported; false when it did not get that far or counts no failure although it failed. */
function count() {
  try {
    const report = JSON.parse(readFileSync(results, 'utf8'))
    passed += report.numPassedTests
    failed += report.numFailedTests
    skipped += report.numPendingTests
    return report.success || report.numFailedTests > 0
  } catch {
    return false
  }
}
