// Everything CI does after the install: build, checks, tests. Ends with `N passed, N failed`.
import { spawnSync } from 'node:child_process'
import { startVitest } from 'vitest/node'

/** Each is counted as one test; vitest's own tests are counted one by one. */
const steps = [
  { name: 'build', command: 'nx', args: ['run-many', '-t', 'build', '--output-style=static'] },
  { name: 'check', command: 'node', args: ['tools/check.mjs'] },
]

const failures = steps.filter((step) => !run(step)).map(({ name }) => name)
let passed = steps.length - failures.length
/** @type {string[]} */
const skipped = []

console.log('\n— tests')
const vitest = await startVitest('test', [], { watch: false, silent: 'passed-only', reporters: ['default'] })
for (const file of vitest.state.getTestModules()) {
  if (file.errors().length > 0) failures.push(file.relativeModuleId)
  for (const test of file.children.allTests()) {
    const { state } = test.result()
    const name = `${file.relativeModuleId} > ${test.fullName}`
    if (state === 'passed') passed++
    else if (state === 'failed') failures.push(name)
    else skipped.push(`${name}: ${reasonOf(test, file)}`)
  }
}
if (vitest.state.getUnhandledErrors().length > 0) failures.push('errors outside of any test')
if (vitest.state.getTestModules().length === 0) failures.push('no tests were found')
await vitest.close()

for (const name of skipped) console.log(`SKIPPED ${name}`)
for (const name of failures) console.log(`FAILED ${name}`)
console.log(`\n${passed} passed, ${failures.length} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`)
process.exit(failures.length === 0 ? 0 : 1)

/** @param {{ name: string, command: string, args: string[] }} step */
function run({ name, command, args }) {
  console.log(`\n— ${name}`)
  const start = performance.now()
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' })
  console.log(`${status === 0 ? '✓' : '✗'} ${((performance.now() - start) / 1000).toFixed(1)} s`)
  return status === 0
}

/**
 * @param {import('vitest/node').TestCase} test
 * @param {import('vitest/node').TestModule} file
 */
function reasonOf(test, file) {
  const result = test.result()
  if (result.state === 'skipped' && result.note) return result.note
  return file.state() === 'failed' ? 'its file failed' : 'no reason given'
}
