export { type Entry, entriesOf, type Manifest, type PublishedPackage, publishedPackages } from './packages.ts'
export { repository } from './repository.ts'
export { type CommandResult, runCommand } from './run-command.ts'
