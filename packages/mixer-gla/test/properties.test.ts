import * as ops from '@mixtape/autodiff'
import {
  exp,
  type Generator,
  matmul,
  mul,
  type Named,
  randomGenerator,
  randomNormal,
  reference,
  scope,
  sum,
  type Tensor,
  useExecutor,
  zeros,
} from '@mixtape/autodiff'
import { describeMixer } from '@mixtape/autodiff/testing'
import { type GlaInput, type GlaState, glaMixer } from '@mixtape/mixer-gla'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'

const mixer = glaMixer()

describeMixer(mixer)

type Inputs = Named<GlaInput>

/** A drawn problem with its two forms. */
interface Problem {
  readonly inputs: Inputs
  readonly state: Named<GlaState>
  readonly generator: Generator
}

const forms = {
  recurrent: (inputs: Inputs, state?: Named<GlaState>) => mixer.recurrent(inputs, state),
  chunked: (inputs: Inputs, state?: Named<GlaState>) => mixer.chunked(inputs, state, { chunkSize: 4 }),
}

for (const [name, run] of Object.entries(forms)) {
  describe(`GLA, ${name}`, () => {
    beforeEach(async () => {
      await useExecutor(reference(), { dtype: 'float64' })
    })

    it('is linear in v and the initial state together', () =>
      holds(({ inputs, state, generator }) => {
        const v = randomNormal(generator, inputs.v.shape)
        const S = randomNormal(generator, state.S.shape)
        const first = run(inputs, state)
        const second = run({ ...inputs, v }, { S })
        const both = run({ ...inputs, v: ops.add(mul(inputs.v, 2), v) }, { S: ops.add(mul(state.S, 2), S) })
        return [
          [both.output, ops.add(mul(first.output, 2), second.output)],
          [both.state.S, ops.add(mul(first.state.S, 2), second.state.S)],
        ]
      }))

    it('gives the same output for k·a and v/a, and a times the output for q·a', () =>
      holds(({ inputs, state }) => {
        const { output } = run(inputs, state)
        const traded = run({ ...inputs, k: mul(inputs.k, 3), v: mul(inputs.v, 1 / 3) }, state)
        const louder = run({ ...inputs, q: mul(inputs.q, -2.5) }, state)
        return [
          [traded.output, output],
          [louder.output, mul(output, -2.5)],
        ]
      }))

    it('reads nothing but its own write where gates are −∞, or −1e4', () =>
      holds(({ inputs, state }) => {
        const { q, k, v, g } = inputs
        const own = mul(mul(sum(mul(q, k), { axes: -1, keepAxes: true }), q.shape[3] ** -0.5), v)
        return [Number.NEGATIVE_INFINITY, -1e4].map((gate) => [
          run({ ...inputs, g: ops.full(g.shape, gate) }, state).output,
          own,
        ])
      }))

    it('is causal linear attention where gates are 0', () =>
      holds(({ inputs }) => {
        const [q, k, v] = [inputs.q, inputs.k, inputs.v].map((x) => ops.transpose(x, [0, 2, 1, 3]))
        const scores = ops.tril(matmul(mul(q, inputs.q.shape[3] ** -0.5), k, { transposeB: true }))
        const want = ops.transpose(matmul(scores, v), [0, 2, 1, 3])
        return [[run({ ...inputs, g: zeros(inputs.g.shape) }).output, want]]
      }))

    it('does not depend on the order of key channels, and follows that of value channels', () =>
      holds(({ inputs, state }) => {
        const { q, k, v, g } = inputs
        const turned = (x: Tensor, axis: number) => ops.flip(x, { axes: axis })
        const { output, state: after } = run(inputs, state)
        const keys = run({ q: turned(q, 3), k: turned(k, 3), v, g: turned(g, 3) }, { S: turned(state.S, 2) })
        const values = run({ ...inputs, v: turned(v, 3) }, { S: turned(state.S, 3) })
        return [
          [keys.output, output],
          [keys.state.S, turned(after.S, 2)],
          [values.output, turned(output, 3)],
          [values.state.S, turned(after.S, 3)],
        ]
      }))

    it('keeps its output when decay moves from g into q and k', () =>
      holds(({ inputs, generator }) => {
        const { q, k, v, g } = inputs
        const moved = mul(randomNormal(generator, g.shape), 0.1)
        const total = ops.cumSum(moved, { axis: 1 })
        const changed = { q: mul(q, exp(ops.neg(total))), k: mul(k, exp(total)), v, g: ops.add(g, moved) }
        return [[run(changed).output, run(inputs).output]]
      }))
  })
}

/** Checks that the pairs of tensors are equal, for problems of many sizes with K ≠ V. */
function holds(pairs: (problem: Problem) => Tensor[][]): Promise<void> {
  const extent = fc.integer({ min: 1, max: 5 })
  const sizes = fc.record({
    B: fc.integer({ min: 1, max: 2 }),
    T: fc.integer({ min: 1, max: 13 }),
    H: extent,
    K: extent,
    V: extent,
  })
  const property = fc.asyncProperty(sizes, fc.nat({ max: 9999 }), async ({ B, T, H, K, V }, seed) => {
    const found = scope(() => {
      const generator = randomGenerator(seed)
      const normal = (...shape: number[]) => randomNormal(generator, shape)
      const g = ops.logSigmoid(normal(B, T, H, K))
      const inputs = { q: normal(B, T, H, K), k: normal(B, T, H, K), v: normal(B, T, H, V), g }
      return pairs({ inputs, state: { S: normal(B, H, K, V) }, generator })
    })
    for (const [got, want] of found) {
      expect(got.shape).toEqual(want.shape)
      const given = Float64Array.from(await got.data())
      const wanted = Float64Array.from(await want.data())
      const allowed = 1e-10 * wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
      const worst = given.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i])), 0)
      expect(worst).toBeLessThanOrEqual(allowed)
    }
  })
  return fc.assert(property, { numRuns: 20 })
}
