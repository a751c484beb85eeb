import {
  add,
  concat,
  cumSum,
  customGradient,
  defineMixer,
  exp,
  expandAxis,
  type Mixer,
  matmul,
  mean,
  mul,
  type Named,
  pad,
  reference,
  slice,
  squeeze,
  stopGradient,
  sum,
  type Tensor,
  tensor,
  tril,
  zeros,
} from '@mixtape/autodiff'
import { describeMixer, type ExecutorSetup, mixerChecks } from '@mixtape/autodiff/testing'
import { describe, expect, it } from 'vitest'

type Input = 'q' | 'k' | 'v' | 'g'
type ScalarMixer = Mixer<Input, 'h'>

/** What may be wrong with a {@link scalarMixer}. */
type Fault =
  | 'mask off by one'
  | 'no mask'
  | 'decay after the write'
  | 'state not carried across chunks'
  | 'initial state ignored'
  | 'constant gate'
  | 'scaled twice'
  | 'padding decays'
  | 'state before the last chunk'
  | 'NaN spreads over the batch'
  | 'rows averaged'
  | 'differences of logarithms'
  | 'wrong gradient everywhere'
  | 'state cut from the tape'
  | 'leak'
  | 'wrong fused form'

const scale = 0.7
const axes = ['B', 'T']
const float64: ExecutorSetup = { name: 'reference float64', dtype: 'float64', create: reference }

describeMixer(scalarMixer())

describe('the property kit catches', () => {
  const faults: Record<Fault, string> = {
    'mask off by one': 'the chunked form equals the recurrent form',
    'no mask': 'outputs do not depend on later inputs',
    'decay after the write': 'the chunked form equals the recurrent form',
    'state not carried across chunks': 'the result does not depend on the chunk size',
    'initial state ignored': 'a sequence can be cut anywhere',
    'constant gate': 'gradients of the chunked form equal those of the recurrent form',
    'scaled twice': 'the chunked form equals the recurrent form',
    'padding decays': 'the final state is that of step, repeated',
    'state before the last chunk': 'the final state is that of step, repeated',
    'NaN spreads over the batch': 'NaN in one batch row does not reach another',
    'rows averaged': 'batch rows are independent of each other and of their order',
    'differences of logarithms': 'extreme gates give finite outputs and gradients',
    'wrong gradient everywhere': 'gradients of the recurrent form equal central differences',
    'state cut from the tape': 'gradients pass through a cut',
    leak: 'nothing stays behind when a scope ends',
    'wrong fused form': 'the fused form, where there is one, equals the recurrent form, and so do its gradients',
  }
  for (const [fault, check] of Object.entries(faults) as [Fault, string][]) {
    it(`${fault}: "${check}" fails and prints the case`, () => expectCaught(scalarMixer(fault), check))
  }

  it('a form that does not check its arguments: "bad input is refused" fails and prints the case', () => {
    const right = scalarMixer()
    const careless: ScalarMixer = {
      ...right,
      chunked(inputs, state = right.initialState(inputs), { chunkSize = 4 } = {}) {
        const { output, h } = inChunks(inputs, state.h, chunkSize, undefined)
        return { output, state: { h } }
      },
    }
    return expectCaught(careless, 'bad input is refused by name, before any work')
  })

  it('a state that is reset by an empty sequence: "no steps" fails and prints the case', () => {
    const right = scalarMixer()
    const forgetful: ScalarMixer = {
      ...right,
      recurrent: (inputs, state) =>
        inputs.q.shape[1] === 0 ? right.recurrent(inputs) : right.recurrent(inputs, state),
    }
    return expectCaught(forgetful, 'no steps give an empty output and the initial state')
  })
})

it('a failure names the smallest case, the element and both values, on one line', async () => {
  const message = await failureOf(scalarMixer('scaled twice'), 'the chunked form equals the recurrent form')
  expect(message).toMatch(/chunked: output \[1, 1\] at \[0, 0\] is \S+ but must be \S+, off by/)
  expect(message).toMatch(/case B=1 T=1 C=1 cut=0 seed=\d+ regime=mild state=zeros; on reference float64/)
})

async function expectCaught(mixer: ScalarMixer, check: string): Promise<void> {
  const message = await failureOf(mixer, check)
  expect(message.startsWith(`scalar: ${check}: `)).toBe(true)
  expect(message).toMatch(/; case B=\d+ T=\d+ C=\d+ cut=\d+ seed=\d+ regime=\w+ state=\w+; on reference float64/)
  expect(message).not.toContain('\n')
}

/** The message with which a check fails. */
async function failureOf(mixer: ScalarMixer, name: string): Promise<string> {
  const check = mixerChecks(mixer, { numRuns: 100 }).find((each) => each.name === name)
  if (check === undefined) throw new Error(`there is no check "${name}"`)
  try {
    await check.run(float64)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  throw new Error(`"${name}" passed`)
}

/** h_t = exp(g_t)·h_{t−1} + k_t·v_t, o_t = scale·q_t·h_t; all inputs [B, T], h [B]. */
function scalarMixer(fault?: Fault): ScalarMixer {
  const chunked = (inputs: Named<Input>, state: Named<'h'>, chunkSize: number) => {
    const { output, h } = inChunks(inputs, state.h, chunkSize, fault)
    return { output, state: { h } }
  }
  return defineMixer<Input, 'h'>({
    name: 'scalar',
    inputs: {
      q: { axes, values: 'real' },
      k: { axes, values: 'real' },
      v: { axes, values: 'real' },
      g: { axes, values: 'logGate' },
    },
    output: axes,
    state: { h: ['B'] },
    scanned: 'T',
    chunkSize: 4,
    step({ q, k, v, g }, { h }) {
      const write = fault === 'wrong gradient everywhere' ? halfGradient(mul(k, v)) : mul(k, v)
      const next = fault === 'decay after the write' ? mul(exp(g), add(h, write)) : add(mul(exp(g), h), write)
      return { output: mul(mul(q, next), scale), state: { h: next } }
    },
    chunked,
    ...(fault === 'wrong fused form' && {
      fused: {
        supports: () => true,
        run: (inputs, state) => chunked({ ...inputs, q: mul(inputs.q, 2) }, state, 4),
      },
    }),
  })
}

/** Chunk by chunk: o = scale·q ⊙ (D·(k ⊙ v) + d·h), D[i, j] the decay from step j to step i and d[i] that from before. */
function inChunks(
  { q, k, v, g }: Named<Input>,
  initial: Tensor,
  length: number,
  fault: Fault | undefined,
): { output: Tensor; h: Tensor } {
  const [batch, time] = q.shape
  const count = Math.ceil(time / length)
  const after = count * length - time
  const gates = fault === 'constant gate' ? stopGradient(() => mul(g, 1)) : g
  let h = fault === 'initial state ignored' ? zeros([batch]) : initial
  if (fault === 'state cut from the tape') h = stopGradient(() => mul(initial, 1))
  let before = h
  const outputs: Tensor[] = []
  for (let n = 0; n < count; n++) {
    const chunk = (x: Tensor, value = 0) =>
      slice(pad(x, { axis: 1, after, value }), { axis: 1, start: n * length, end: (n + 1) * length })
    const logs = chunk(gates, fault === 'padding decays' ? -1 : 0) // [B, C]
    const written = expandAxis(mul(chunk(k), chunk(v)), -1) // [B, C, 1]
    const total = fault === 'differences of logarithms' ? cumSum(logs, { axis: 1 }) : spans(logs, -1)
    before = h
    const read = add(squeeze(matmul(decays(logs, fault), written), 2), mul(exp(total), expandAxis(h, -1)))
    outputs.push(mul(mul(chunk(q), read), fault === 'scaled twice' ? scale * scale : scale))
    const last = matmul(tril(exp(allSpans(logs))), written) // [B, C, 1]
    const end = slice(add(squeeze(last, 2), mul(exp(spans(logs, -1)), expandAxis(h, -1))), {
      axis: 1,
      start: length - 1,
    })
    h = fault === 'state not carried across chunks' ? zeros([batch]) : squeeze(end, 1)
    if (fault === 'leak') written.retain()
  }
  const output = slice(concat(outputs, { axis: 1 }), { axis: 1, end: time })
  return { output: spoiled(output, fault), h: fault === 'state before the last chunk' ? before : h }
}

/** D [B, C, C]: exp of the gates after step j up to step i, for j ≤ i. */
function decays(logs: Tensor, fault: Fault | undefined): Tensor {
  if (fault === 'differences of logarithms') {
    const total = cumSum(logs, { axis: 1 })
    return tril(mul(exp(expandAxis(total, -1)), exp(mul(expandAxis(total, -2), -1))))
  }
  const all = exp(allSpans(logs))
  if (fault === 'no mask') return all
  return tril(all, { diagonal: fault === 'mask off by one' ? -1 : 0 })
}

/** [B, C] → [B, C, C]: the sum of gates m with j < m ≤ i. Sums, not differences, so that nothing cancels. */
function allSpans(logs: Tensor): Tensor {
  const columns = Array.from({ length: logs.shape[1] }, (_, j) => expandAxis(spans(logs, j), -1))
  return concat(columns, { axis: 2 })
}

/** [B, C] → [B, C]: the sum of gates m with j < m ≤ i, by i. */
function spans(logs: Tensor, j: number): Tensor {
  const length = logs.shape[1]
  const mask = Array.from({ length }, (_, i) => Array.from({ length }, (_, m) => (j < m && m <= i ? 1 : 0)))
  return sum(mul(expandAxis(logs, 1), tensor(mask)), { axes: 2 })
}

function spoiled(output: Tensor, fault: Fault | undefined): Tensor {
  if (fault === 'NaN spreads over the batch') return add(output, mul(sum(output, { axes: 0, keepAxes: true }), 0))
  if (fault === 'rows averaged') return mul(add(output, mean(output, { axes: 0, keepAxes: true })), 0.5)
  return output
}

/** The identity with half of its gradient. */
function halfGradient(x: Tensor): Tensor {
  const [result] = customGradient({
    name: 'halfGradient',
    forward: ([input]) => ({ outputs: [mul(input, 1)] }),
    backward: ({ gradients: [gradient] }) => [mul(gradient, 0.5)],
  })(x)
  return result
}
