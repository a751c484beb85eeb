import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { publishedPackages, repository } from '@mixtape-tools/workspace'

/** A Markdown file that users read. */
export interface Document {
  /** Relative to the repository, with forward slashes. */
  readonly file: string
  readonly text: string
}

/** A fenced block of code. */
export interface Block {
  readonly file: string
  /** Line of the first line of code, counted from 1. */
  readonly line: number
  /** What follows the fence, such as `ts` or `sh`. */
  readonly language: string
  readonly code: string
}

/** The README and the guide of the repository, and the README of every package that has one. */
export function documents(): readonly Document[] {
  const readmes = publishedPackages().map(({ folder }) => join(folder, 'README.md'))
  return [
    join(repository, 'README.md'),
    join(repository, 'CONTRIBUTING.md'),
    ...readmes.filter((path) => existsSync(path)),
  ].map((path) => ({ file: relative(repository, path).replaceAll('\\', '/'), text: readFileSync(path, 'utf8') }))
}

/** @throws Error naming file and line when a fence is not closed. */
export function blocksOf({ file, text }: Document): readonly Block[] {
  const blocks: Block[] = []
  let open: { language: string; line: number; lines: string[] } | undefined
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const fence = /^```(.*)$/.exec(line)
    if (fence === null) open?.lines.push(line)
    else if (open === undefined) open = { language: fence[1].trim(), line: index + 2, lines: [] }
    else {
      blocks.push({ file, line: open.line, language: open.language, code: open.lines.join('\n') })
      open = undefined
    }
  }
  if (open !== undefined) throw new Error(`${file}:${open.line - 1}: the fence is not closed`)
  return blocks
}

/** Relative links of a document, with their lines. */
export function linksOf({ text }: Document): readonly { readonly target: string; readonly line: number }[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      [...line.matchAll(/\]\(([^)#:\s]+)(?:#[^)\s]*)?\)/g)].map(([, target]) => ({ target, line: index + 1 })),
    )
}
