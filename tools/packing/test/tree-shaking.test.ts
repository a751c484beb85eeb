import { expect, it } from 'vitest'
import { bundle } from '../src/bundle.ts'

const filesOf = async (code: string): Promise<readonly string[]> => (await bundle(code)).files

it('importing a package for nothing leaves nothing', async () => {
  const code = ['autodiff', 'autodiff/wasm', 'autodiff/safetensors', 'nn', 'mixer-gla'].map(
    (p) => `import '@mixtape/${p}'`,
  )
  expect((await bundle(code.join('\n'))).code.trim()).toBe('')
})

it('a bundle with an executor has no other', async () => {
  const files = await filesOf("export { tensor, matmul, useExecutor } from '@mixtape/autodiff'")
  expect(files).toContain('packages/autodiff/src/ops/matmul.ts')
  expect(files.filter((file) => file.includes('/executors/'))).toEqual([])
})

it('a bundle with one layer has no other layer, no model and no training loop', async () => {
  const files = await filesOf("export { Linear } from '@mixtape/nn'")
  const modules = files.filter((file) => file.startsWith('packages/nn/'))
  expect(modules).toContain('packages/nn/src/linear.ts')
  for (const other of ['attention', 'language-model', 'train', 'optimizer']) {
    expect(modules).not.toContain(`packages/nn/src/${other}.ts`)
  }
})

it('a bundle with the recurrence of a mixer has no code of nn', async () => {
  const files = await filesOf("export { glaMixer } from '@mixtape/mixer-gla'")
  expect(files.some((file) => file.startsWith('packages/mixer-gla/'))).toBe(true)
  expect(files.filter((file) => file.startsWith('packages/nn/'))).toEqual([])
})
