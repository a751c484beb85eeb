import { type Executor, reference } from '@mixtape/autodiff'
import { describeExecutor, executorChecks } from '@mixtape/autodiff/testing'
import { wasm } from '@mixtape/autodiff/wasm'
import { expect, it } from 'vitest'

describeExecutor('reference', reference)
describeExecutor('wasm', () => wasm())

it('the conformance suite catches an executor whose matmul ignores transposeB', async () => {
  const executor = await reference()
  const broken: Executor = {
    ...bound(executor),
    run: (kernel, inputs, outputs, params) =>
      executor.run(kernel, inputs, outputs, 'transposeB' in params ? { ...params, transposeB: false } : params),
  }
  const check = executorChecks.find(({ name }) => name.startsWith('matmul multiplies'))
  const wrong: unknown = expect.stringMatching(/matmul: element \d+ of \d+ is/)
  await expect(check?.run(broken)).rejects.toHaveProperty('cause.message', wrong)
})

/** An executor as a plain object, so that single methods can be replaced. */
function bound(executor: Executor): Executor {
  return {
    name: executor.name,
    dtypes: executor.dtypes,
    allocate: (...args) => executor.allocate(...args),
    write: (...args) => executor.write(...args),
    read: (...args) => executor.read(...args),
    free: (...args) => executor.free(...args),
    run: (...args) => executor.run(...args),
    supports: (...args) => executor.supports(...args),
    runFused: (...args) => executor.runFused(...args),
    flush: () => executor.flush(),
    memory: () => executor.memory(),
    close: () => executor.close(),
  }
}
