import { publishedPackages } from '@mixtape-tools/workspace'
import { readPackage } from './package.ts'
import { rules } from './rules.ts'

const packages = publishedPackages().map(readPackage)
let violations = 0
for (const { name, check } of rules) {
  for (const subject of packages) {
    for (const { file, line, message } of check(subject, packages)) {
      console.error(`packages/${subject.shortName}/${file}:${line} ${name}: ${message}`)
      violations++
    }
  }
}
process.exitCode = violations === 0 ? 0 : 1
