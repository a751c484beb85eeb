import { describe, it } from 'vitest'
import { reference } from '../executors/reference/index.ts'
import { wasm } from '../executors/wasm/index.ts'
import type { Mixer } from '../mixer/mixer.ts'
import { type ExecutorSetup, type MixerCheckOptions, mixerChecks } from './mixer-checks.ts'

export interface DescribeMixerOptions extends MixerCheckOptions {
  /** Default: {@link executorSetups}. */
  readonly executors?: readonly ExecutorSetup[]
}

/** The executors that run anywhere: reference in float64 and float32, wasm in float32. */
export const executorSetups: readonly ExecutorSetup[] = [
  { name: 'reference float64', dtype: 'float64', create: reference },
  { name: 'reference float32', dtype: 'float32', create: reference },
  { name: 'wasm float32', dtype: 'float32', create: () => wasm() },
]

/** Registers {@link mixerChecks} with vitest, on every executor. */
export function describeMixer<Input extends string, State extends string>(
  mixer: Mixer<Input, State>,
  { executors = executorSetups, ...options }: DescribeMixerOptions = {},
): void {
  for (const setup of executors) {
    describe(`mixer ${mixer.name} on ${setup.name}`, () => {
      for (const check of mixerChecks(mixer, options)) {
        if (check.dtype === undefined || check.dtype === setup.dtype) it(check.name, () => check.run(setup))
      }
    })
  }
}
