import { free, scope, type Tensor, tensor, tensorsIn } from '@mixtape/autodiff'
import type { LanguageModel } from '@mixtape/nn'
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
const LEAST_MS = 60

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
  for (const length of lengths) {
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
    measured.push({ length, forward: length * forward, decode })
    if (performance.now() - started > PATIENCE_MS) break
  }
  return measured
}

/** Once untimed, then at least twice and for 60 ms. */
async function callsPerSecond(call: () => Promise<void>): Promise<number> {
  await call()
  const started = performance.now()
  let calls = 0
  while (calls < 2 || performance.now() - started < LEAST_MS) {
    await call()
    calls++
  }
  return (1000 * calls) / (performance.now() - started)
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
