import {
  exp,
  matmul,
  randomGenerator,
  randomNormal,
  rmsNorm,
  type Shape,
  scope,
  silu,
  softmax,
  type Tensor,
} from '@mixtape/autodiff'
import type { BenchmarkGroup, SuiteOptions } from '../case.ts'
import { onEveryExecutor } from './executors.ts'

/** Matrix products: squares, and many of 64×64. */
export function matmulGroups({ quick }: SuiteOptions): readonly BenchmarkGroup[] {
  const sizes = quick ? [32] : [64, 128, 256, 512]
  const batch = quick ? 4 : 64
  return [...sizes.map((n) => product(`matmul ${n}×${n}`, [n, n])), product(`matmul ${batch} × 64×64`, [batch, 64, 64])]
}

/** Maps and row operations over a [512, 1024] tensor. */
export function elementwiseGroups({ quick }: SuiteOptions): readonly BenchmarkGroup[] {
  const shape = quick ? [8, 64] : [512, 1024]
  const ops = { exp, silu, softmax: (x: Tensor) => softmax(x), rmsNorm: (x: Tensor) => rmsNorm(x) }
  return Object.entries(ops).map(([name, op]) => {
    const work = { unit: 'B', amount: 2 * 4 * shape[0] * shape[1] } as const
    return onEveryExecutor(`${name} [${shape}]`, work, () => {
      const x = randomNormal(randomGenerator(0), shape)
      return () => discard(() => op(x))
    })
  })
}

function product(name: string, shape: Shape): BenchmarkGroup {
  const n = shape[shape.length - 1]
  const work = { unit: 'FLOP', amount: 2 * n * shape.reduce((a, b) => a * b, 1) } as const
  return onEveryExecutor(name, work, () => {
    const generator = randomGenerator(0)
    const a = randomNormal(generator, shape)
    const b = randomNormal(generator, shape)
    return () => discard(() => matmul(a, b))
  })
}

function discard(compute: () => unknown): void {
  scope(() => {
    compute()
  })
}
