import {
  abs,
  div,
  matmul,
  mean,
  oneHot,
  randomGenerator,
  randomNormal,
  scope,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
} from '@mixtape/autodiff'
import { type Check, exactCheck } from './exact-check.ts'
import { bindingLength, type MqarConfig, mqar } from './mqar.ts'
import { IGNORED } from './task.ts'

/**
 * What plain linear attention, o = S^T q with S = Σ k v^T, must do on recall (evaluation spec §2), computed on the
 * executor in use:
 * - `mqar/linear-attention-sums`: with one-hot keys and values, a key that was given a second value reads as old + new
 *   value, and another key as its value: the largest deviation is 0;
 * - `mqar/recall-capacity`: with n random unit keys in R^K and n independent random unit values, the mean read error
 *   ‖S^T k_j − v_j‖² is (n − 1)/K, here 31/16 over 1000 draws, ±5 %.
 */
export async function mqarChecks(seed: number = 0): Promise<readonly Check[]> {
  const draws = { count: 1000, pairs: 32, keyDim: 16, valueDim: 16 }
  const want = (draws.pairs - 1) / draws.keyDim
  const [deviation, error] = [scope(() => sumDeviation(seed)), scope(() => readError(seed, draws))]
  return [
    exactCheck('mqar/linear-attention-sums', Math.max(...(await deviation.data())), 0, 0),
    exactCheck('mqar/recall-capacity', await error.item(), want, 0.05 * want),
  ]
}

/** |read − (sum of the values the key was given)| at every query of forgetting MQAR, [B, n, V]. */
function sumDeviation(seed: number): Tensor {
  const config: MqarConfig = { vocabulary: 64, length: 32, pairs: 4, updates: 2, batchSize: 64 }
  const { x, y } = mqar(config).trainingBatch(seed, 0)
  const { batchSize, length, vocabulary, pairs } = config
  const context = bindingLength(config)
  const keys: number[] = []
  const values: number[] = []
  const queries: number[] = []
  const wanted = new Float32Array(batchSize * pairs * vocabulary)
  for (let row = 0; row < batchSize; row++) {
    const given = new Map<number, number[]>()
    for (let t = row * length; t < row * length + context; t += 2) {
      keys.push(x[t])
      values.push(x[t + 1])
      given.set(x[t], [...(given.get(x[t]) ?? []), x[t + 1]])
    }
    for (let t = row * length + context; t < (row + 1) * length; t++) {
      if (y[t] === IGNORED) continue
      for (const value of given.get(x[t]) ?? []) wanted[queries.length * vocabulary + value] += 1
      queries.push(x[t])
    }
  }
  const hot = (ids: readonly number[], count: number) =>
    oneHot(tensor(Int32Array.from(ids), { shape: [batchSize, count] }), vocabulary)
  const read = readAll(hot(keys, context / 2), hot(values, context / 2), hot(queries, pairs))
  return abs(sub(read, tensor(wanted, { shape: [batchSize, pairs, vocabulary] })))
}

interface Draws {
  readonly count: number
  readonly pairs: number
  readonly keyDim: number
  readonly valueDim: number
}

/** Mean of ‖S^T k_j − v_j‖² over draws and pairs. */
function readError(seed: number, { count, pairs, keyDim, valueDim }: Draws): Tensor {
  const random = randomGenerator(`mqar/recall-capacity/${seed}`)
  const keys = unit(randomNormal(random, [count, pairs, keyDim]))
  const values = unit(randomNormal(random, [count, pairs, valueDim]))
  return mean(sum(square(sub(readAll(keys, values, keys), values)), { axes: 2 }))
}

/** keys [B, N, K], values [B, N, V], queries [B, M, K] → queries·S [B, M, V] with the state S = Σ k v^T after all pairs. */
function readAll(keys: Tensor, values: Tensor, queries: Tensor): Tensor {
  const state = matmul(keys, values, { transposeA: true }) // [B, K, V]
  return matmul(queries, state)
}

function unit(x: Tensor): Tensor {
  return div(x, sqrt(sum(square(x), { axes: 2, keepAxes: true })))
}
