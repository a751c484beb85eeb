import { afterEach, describe, expect, it } from 'vitest'
import { commandProblems } from '../src/commands.ts'
import { type Block, blocksOf, linksOf } from '../src/documents.ts'
import { checkTypes, removeSnippets, runSnippet, type Snippet, writeSnippets } from '../src/snippets.ts'

const document = (...lines: readonly string[]) => ({ file: 'guide.md', text: lines.join('\n') })

describe('documents', () => {
  it('blocks carry their language and the line of their first line of code', () => {
    const text = document('# Title', '```ts', 'a()', '', 'b()', '```', 'prose', '```sh', 'npm start', '```')
    expect(blocksOf(text)).toEqual([
      { file: 'guide.md', line: 3, language: 'ts', code: 'a()\n\nb()' },
      { file: 'guide.md', line: 9, language: 'sh', code: 'npm start' },
    ])
  })

  it('a fence that is not closed is an error naming its line', () => {
    expect(() => blocksOf(document('prose', '```ts', 'a()'))).toThrow('guide.md:2')
  })

  it('relative links are found, others are not', () => {
    const text = document('[a](x/y.md) and [b](https://example.org)', '[c](z.md#part) [d](#here)')
    expect(linksOf(text)).toEqual([
      { target: 'x/y.md', line: 1 },
      { target: 'z.md', line: 2 },
    ])
  })
})

describe('snippets', () => {
  let snippets: readonly Snippet[] = []
  afterEach(() => removeSnippets(snippets))

  async function snippet(code: string): Promise<Snippet> {
    const block: Block = { file: 'guide.md', line: 7, language: 'ts', code }
    snippets = await writeSnippets([block])
    return snippets[0]
  }

  it('a program that throws fails with the document’s file and line', async () => {
    await expect(runSnippet(await snippet("\nthrow new Error('no')"))).rejects.toThrow(/guide\.md:8/)
  })

  it('a program with top-level await and our packages runs', async () => {
    const code = "import { reference, useExecutor } from '@mixtape/autodiff'\nawait useExecutor(reference())"
    await expect(runSnippet(await snippet(code))).resolves.toBeUndefined()
  })

  it('a test file that fails fails with the document’s file', async () => {
    const code = "import { expect, it } from 'vitest'\nit('claims', () => expect(1).toBe(2))"
    await expect(runSnippet(await snippet(code))).rejects.toThrow(/guide\.md:8/)
  })

  it('a test file that passes passes', async () => {
    const code = "import { expect, it } from 'vitest'\nit('claims', () => expect(1).toBe(1))"
    await expect(runSnippet(await snippet(code))).resolves.toBeUndefined()
  })

  it('a type error is reported with the document’s file and line', async () => {
    expect(await checkTypes([await snippet("const n: number = 'one'\nconsole.log(n)")])).toMatch(/guide\.md\(7,/)
  })
})

describe('commands', () => {
  const known = {
    scripts: new Set(['start', 'bench']),
    packages: new Set(['@mixtape/nn']),
    programs: new Set(['mixtape']),
  }
  const problems = (code: string) => commandProblems({ file: 'guide.md', line: 3, language: 'sh', code }, known)

  it('scripts, packages and programs that exist pass', () => {
    expect(
      problems('npm start\nnpm run bench -- --quick  # fast\nnpm install @mixtape/nn vitest\nnpx mixtape run\nls'),
    ).toEqual([])
  })

  it.each(['npm run gone', 'npm test', 'npm install @mixtape/gone', 'npx gone', 'npm frobnicate'])(
    '%s is caught, with file and line',
    (command) => {
      expect(problems(`npm start\n${command}`)).toEqual([expect.stringMatching(/^guide\.md:4: /)])
    },
  )
})
