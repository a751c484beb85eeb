import { grad, logSigmoid, randomGenerator, randomNormal, scope, sum, type Tensor } from '@mixtape/autodiff'
import { wasm } from '@mixtape/autodiff/wasm'
import { type GlaInput, glaMixer } from '@mixtape/mixer-gla'
import type { BenchmarkCase, BenchmarkGroup, SuiteOptions } from '../case.ts'

type Inputs = Readonly<Record<GlaInput, Tensor>>

const mixer = glaMixer()
const chunked = (chunkSize: number) => (inputs: Inputs) => mixer.chunked(inputs, undefined, { chunkSize }).output
const forms: Readonly<Record<string, (inputs: Inputs) => Tensor>> = {
  recurrent: (inputs) => mixer.recurrent(inputs).output,
  'chunked 16': chunked(16),
  'chunked 64': chunked(64),
  best: (inputs) => mixer.forward(inputs).output,
}

/**
 * The forms of gated linear attention at K = V = 64 on the wasm executor. `best` is what a layer runs: the fused kernel
 * where there is one. Work is that of the recurrence, 5·K·V operations per token and head, three times that with the
 * gradient, whatever the form really does.
 */
export function glaGroups({ quick }: SuiteOptions): readonly BenchmarkGroup[] {
  const [B, H, T, K] = quick ? [1, 1, 32, 8] : [1, 4, 1024, 64]
  const title = `gla B=${B} H=${H} T=${T} K=V=${K}`
  const work = 5 * B * H * T * K * K
  const generator = () => randomGenerator(0)
  const inputs = (): Inputs => {
    const draw = generator()
    const [q, k, v, gate] = Array.from({ length: 4 }, () => randomNormal(draw, [B, T, H, K]))
    return { q, k, v, g: logSigmoid(gate) }
  }
  const caseOf = (name: string, amount: number, run: (inputs: Inputs) => void): BenchmarkCase => ({
    name,
    executor: wasm,
    work: { unit: 'FLOP', amount },
    setup: () => {
      const made = inputs()
      return () => scope(() => run(made))
    },
  })
  const named = Object.entries(forms)
  return [
    { name: `${title}, forward`, baseline: 'recurrent', cases: named.map(([name, form]) => caseOf(name, work, form)) },
    {
      name: `${title}, forward and backward`,
      baseline: 'recurrent',
      cases: named.map(([name, form]) =>
        caseOf(
          name,
          3 * work,
          grad((x: Inputs) => sum(form(x))),
        ),
      ),
    },
  ]
}
