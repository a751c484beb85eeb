import { free, scope, type Tensor, tensor, tensorsIn } from '@mixtape/autodiff'
import type { LanguageModel } from '@mixtape/nn'
import { median } from '../statistics/quantile.ts'
import { breathe } from './breathe.ts'

/** Bytes of everything a model carries from token to token, for one sequence after `length` tokens. */
export function stateBytes(model: LanguageModel, length: number): number {
  return scope(() => {
    const { state } = model.forward(tokens(model, length))
    return tensorsIn(state).reduce((bytes, { size, dtype }) => bytes + size * (dtype === 'float64' ? 8 : 4), 0)
  })
}

/** Speed of one sequence at one length, in tokens per second. */
export interface Throughput {
  readonly length: number
  /** The whole sequence at once. */
  readonly forward: number
  /** One token more, after `length` tokens. */
  readonly decode: number
}

/** Measuring one length may take so long before longer ones are left out. */
const PATIENCE_MS = 4000
const LEAST_MS = 100

/**
 * Times a model without gradients on single sequences of each length. Ends early when a length takes several seconds.
 * @throws Stopped when the signal says so
 */
export async function throughput(
  model: LanguageModel,
  lengths: readonly number[],
  signal?: AbortSignal,
): Promise<readonly Throughput[]> {
  const measured: Throughput[] = []
  // The first length is measured twice: the first time, the engine is still compiling.
  for (const [index, length] of [lengths[0], ...lengths].entries()) {
    await breathe(signal)
    const started = performance.now()
    const forward = await callsPerSecond(async () => {
      const logits = scope(() => model.forward(tokens(model, length)).logits)
      await settled(logits)
    })
    const state = scope(() => model.forward(tokens(model, length)).state)
    const decode = await callsPerSecond(async () => {
      const logits = scope(() => model.step(tensor([0], { dtype: 'int32' }), state).logits)
      await settled(logits)
    })
    free(tensorsIn(state))
    if (index > 0) measured.push({ length, forward: length * forward, decode })
    if (performance.now() - started > PATIENCE_MS) break
  }
  return measured
}

/** From the median duration of at least three calls in at least 100 ms, after one that is not timed. */
async function callsPerSecond(call: () => Promise<void>): Promise<number> {
  await call()
  const durations: number[] = []
  const began = performance.now()
  while (durations.length < 3 || performance.now() - began < LEAST_MS) {
    const started = performance.now()
    await call()
    durations.push(performance.now() - started)
  }
  return 1000 / median(durations)
}

async function settled(result: Tensor): Promise<void> {
  await result.executor.flush()
  free([result])
}

function tokens(model: LanguageModel, length: number): Tensor {
  const ids = Int32Array.from({ length }, (_, t) => (t * 7) % model.vocabulary)
  return tensor(ids, { shape: [1, length] })
}

/** Whether the state has the same size after any number of tokens: judged at two lengths that exceed common windows. */
export function hasFixedState(model: LanguageModel): boolean {
  return stateBytes(model, 128) === stateBytes(model, 160)
}
