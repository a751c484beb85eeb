import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '@mixtape-tools/workspace'
import type { Block } from './documents.ts'

/** What a document's commands may refer to. */
export interface Commands {
  /** Scripts of the repository's package.json. */
  readonly scripts: ReadonlySet<string>
  /** Names of our packages. */
  readonly packages: ReadonlySet<string>
  /** Programs of our packages. */
  readonly programs: ReadonlySet<string>
}

/** npm's own commands that a document may name. */
const npmCommands = new Set(['ci', 'cit', 'init', 'install', 'pack'])

/** Commands of a `sh` block that do not exist, each with its file and line. */
export function commandProblems({ file, line, code }: Block, commands: Commands): readonly string[] {
  return code
    .split('\n')
    .flatMap((text, index) =>
      problemsOf(text.replace(/#.*/, '').trim().split(/\s+/), commands).map(
        (problem) => `${file}:${line + index}: ${problem}`,
      ),
    )
}

function problemsOf([program, verb = '', ...rest]: readonly string[], commands: Commands): readonly string[] {
  const { scripts, packages, programs } = commands
  if (program === 'npx') {
    const known = programs.has(verb) || existsSync(join(repository, 'node_modules', '.bin', verb))
    return known ? [] : [`there is no program ${verb}`]
  }
  if (program !== 'npm') return []
  if (verb === 'run') return scripts.has(rest[0]) ? [] : [`there is no script ${rest[0]}`]
  if (verb === 'start' || verb === 'test') return scripts.has(verb) ? [] : [`there is no script ${verb}`]
  if (!npmCommands.has(verb)) return [`npm ${verb} is no command that a document may name`]
  const ours = rest.filter((name) => name.startsWith('@mixtape/') && !packages.has(name))
  return ours.map((name) => `there is no package ${name}`)
}
