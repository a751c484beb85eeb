import fc from 'fast-check'
import { useExecutor } from '../context.ts'
import type { FloatDType } from '../dtype.ts'
import type { Executor } from '../executor.ts'
import { memory } from '../memory.ts'
import type { Mixer } from '../mixer/mixer.ts'
import { free, scope } from '../scope.ts'
import type { Tensor } from '../tensor.ts'
import { checkGradient } from './gradient.ts'
import { expectRefusals } from './mixer-bad-input.ts'
import { type CaseBounds, drawCase, formatCase, type Layout, type MixerCase, mixerCases } from './mixer-case.ts'
import {
  type AnyMixer,
  cutInTwo,
  evaluate,
  type Form,
  gradients,
  type HostData,
  stepped,
  weighted,
} from './mixer-forms.ts'
import {
  agree,
  expectFinite,
  type HostTensors,
  mapHosts,
  replace,
  type Tensors,
  take,
  uploadAll,
} from './mixer-host.ts'

/** An executor to check on, and the floating type to compute in. */
export interface ExecutorSetup {
  readonly name: string
  readonly dtype: FloatDType
  create(): Promise<Executor>
}

/** One thing a mixer must do. Throws an Error with the smallest case found that breaks it, on one line. */
export interface MixerCheck {
  readonly name: string
  /** Where the check means something; everywhere by default. Central differences need float64. */
  readonly dtype?: FloatDType
  /** Makes the executor of the setup the one in use, and closes it. */
  run(setup: ExecutorSetup): Promise<void>
}

export interface MixerCheckOptions {
  /** Cases per check. Default 20. */
  readonly numRuns?: number
}

/** What a check is run with. */
interface Context {
  readonly drawn: MixerCase
  readonly data: HostData
  readonly recurrent: Form
  readonly chunked: Form
  /** Every form there is on the executor. */
  readonly forms: readonly (readonly [name: string, form: Form])[]
  /** Allowed difference of two forms, and of their gradients. */
  readonly tolerance: number
  readonly gradientTolerance: number
}

/**
 * The properties of every mixer: its forms agree, sequences can be cut anywhere, outputs are causal, gradients are right,
 * extreme gates are harmless, bad input is refused, batch rows do not meet, memory is given back.
 */
export function mixerChecks<Input extends string, State extends string>(
  mixer: Mixer<Input, State>,
  { numRuns = 20 }: MixerCheckOptions = {},
): readonly MixerCheck[] {
  const layout: Layout = mixer.definition
  const subject: AnyMixer = mixer
  const { scanned } = layout
  const check = (
    name: string,
    bounds: CaseBounds,
    holds: (context: Context) => Promise<void>,
    dtype?: FloatDType,
  ): MixerCheck => ({
    name,
    dtype,
    async run(setup) {
      const executor = await useExecutor(setup.create(), { dtype: setup.dtype })
      try {
        await assertHolds(mixerCases(layout, bounds), numRuns, async (drawn) => {
          try {
            await holds(contextOf(layout, subject, drawn, setup.dtype))
          } catch (error) {
            const why = error instanceof Error ? error.message : String(error)
            throw new Error(
              `${mixer.name}: ${name}: ${why.replaceAll('\n', ' ')}; case ${formatCase(drawn)}; on ${setup.name}`,
              { cause: error },
            )
          }
        })
      } finally {
        executor.close()
      }
    },
  })
  const resultsOf = (form: Form, { data }: Context) => evaluate(layout, form, data)
  const gradientsOf = (form: Form, { data, drawn }: Context) => gradients(layout, form, data, drawn.seed)
  return [
    check('the chunked form equals the recurrent form', {}, async (context) => {
      agree(
        'chunked',
        await resultsOf(context.chunked, context),
        await resultsOf(context.recurrent, context),
        context.tolerance,
      )
    }),
    check(
      'the fused form, where there is one, equals the recurrent form, and so do its gradients',
      {},
      async (context) => {
        const fused = context.forms.find(([name]) => name === 'fused')?.[1] ?? subject.forward.bind(subject)
        const { recurrent, tolerance, gradientTolerance } = context
        agree('fused', await resultsOf(fused, context), await resultsOf(recurrent, context), tolerance)
        agree('fused', await gradientsOf(fused, context), await gradientsOf(recurrent, context), gradientTolerance)
      },
    ),
    check('the result does not depend on the chunk size', {}, async (context) => {
      const { otherChunkSize } = context.drawn
      const other: Form = (inputs, state) => subject.chunked(inputs, state, { chunkSize: otherChunkSize })
      const what = `chunks of ${otherChunkSize}`
      agree(what, await resultsOf(other, context), await resultsOf(context.chunked, context), context.tolerance)
    }),
    check('a sequence can be cut anywhere', {}, async (context) => {
      for (const [name, form] of context.forms) {
        const pieces = await resultsOf(cutInTwo(layout, form, context.drawn), context)
        agree(`${name}, cut`, pieces, await resultsOf(form, context), context.tolerance)
      }
    }),
    check('outputs do not depend on later inputs', { steps: { min: 1 } }, async (context) => {
      const { drawn, data, recurrent } = context
      const others = drawCase(layout, drawn, 1).inputs
      const later = mapHosts(data.inputs, (host, name) =>
        replace(host, scanned, (before, t, index) => (t >= drawn.cut ? others[name].values[index] : before)),
      )
      for (const [name, form] of context.forms) {
        const earlier = async (inputs: HostTensors): Promise<HostTensors> => {
          const { output } = await evaluate(layout, form, { ...data, inputs })
          return { output: take(output, scanned, range(drawn.cut)) }
        }
        const tolerance = form === recurrent ? 0 : context.tolerance
        agree(`${name}, changed from step ${drawn.cut} on`, await earlier(later), await earlier(data.inputs), tolerance)
      }
    }),
    check('the final state is that of step, repeated', { steps: { min: 1 } }, async (context) => {
      const { output: _, ...want } = await resultsOf(stepped(layout, subject, context.drawn), context)
      for (const [name, form] of context.forms) agree(name, await resultsOf(form, context), want, context.tolerance)
    }),
    check('gradients of the chunked form equal those of the recurrent form', {}, async (context) => {
      const want = await gradientsOf(context.recurrent, context)
      agree('chunked', await gradientsOf(context.chunked, context), want, context.gradientTolerance)
    }),
    check(
      'gradients of the recurrent form equal central differences',
      { steps: { max: 4 }, extent: 2, regimes: ['mild', 'strong'] },
      ({ recurrent, data, drawn }) => checkDifferences(recurrent, data, drawn.seed),
      'float64',
    ),
    check('gradients pass through a cut', {}, async (context) => {
      for (const [name, form] of context.forms) {
        const pieces = await gradientsOf(cutInTwo(layout, form, context.drawn), context)
        agree(`${name}, cut`, pieces, await gradientsOf(form, context), context.gradientTolerance)
      }
    }),
    check(
      'extreme gates give finite outputs and gradients',
      { regimes: ['strong', 'mixed', 'reset'] },
      async (context) => {
        for (const [name, form] of context.forms) {
          expectFinite(name, await resultsOf(form, context))
          expectFinite(name, await gradientsOf(form, context))
        }
      },
    ),
    check('no steps give an empty output and the initial state', { steps: { max: 0 } }, async (context) => {
      const { inputs, state } = drawCase(layout, { ...context.drawn, state: true })
      const states = Object.entries(state ?? {}).map(([name, host]) => {
        const initial = context.drawn.state ? host : replace(host, scanned, () => 0)
        return [`state ${name}`, initial]
      })
      const shape = layout.output.map((axis) => sizeIn(layout, context.drawn, axis))
      const output = { axes: layout.output, shape, values: new Float64Array() }
      const data = { inputs, state: context.drawn.state ? state : undefined }
      for (const [name, form] of context.forms) {
        agree(name, await evaluate(layout, form, data), { output, ...Object.fromEntries(states) }, context.tolerance)
      }
    }),
    check('bad input is refused by name, before any work', { steps: { min: 1 }, state: true }, async ({ data }) => {
      expectRefusals(layout, subject, data)
    }),
    check('NaN in one batch row does not reach another', { batch: { min: 2, max: 2 } }, async (context) => {
      const { data, drawn } = context
      const poison = (hosts: HostTensors) =>
        mapHosts(hosts, (host, name) =>
          layout.inputs[name] === undefined || layout.inputs[name].values === 'real'
            ? replace(host, 'B', (before, row, index) =>
                row === 1 && index % 3 === drawn.seed % 3 ? Number.NaN : before,
              )
            : host,
        )
      const poisoned = { inputs: poison(data.inputs), state: data.state && poison(data.state) }
      for (const [name, form] of context.forms) {
        const firstRow = async (given: HostData) =>
          batched([0], {
            ...(await evaluate(layout, form, given)),
            ...(await gradients(layout, form, given, drawn.seed)),
          })
        agree(`${name}, row 0`, await firstRow(poisoned), await firstRow(data), context.gradientTolerance)
      }
    }),
    check(
      'batch rows are independent of each other and of their order',
      { batch: { min: 2, max: 3 } },
      async (context) => {
        const { data, drawn } = context
        const order = range(drawn.sizes.B ?? 1).reverse()
        for (const [name, form] of context.forms) {
          const whole = await resultsOf(form, context)
          for (const places of [order, [0]]) {
            const part = { inputs: rowsOf(data.inputs, places), state: data.state && rowsOf(data.state, places) }
            const got = await evaluate(layout, form, part)
            agree(`${name}, rows ${places.join(', ')}`, got, batched(places, whole), context.tolerance)
          }
        }
      },
    ),
    check('nothing stays behind when a scope ends', {}, async ({ data, drawn, forms }) => {
      for (const [name, form] of forms) {
        const before = memory().liveBuffers
        scope(() => {
          form(uploadAll(data.inputs), data.state && uploadAll(data.state))
        })
        expectNoneLeft(name, before)
        await gradients(layout, form, data, drawn.seed)
        expectNoneLeft(`${name} with gradients`, before)
      }
    }),
  ]
}

function contextOf(layout: Layout, mixer: AnyMixer, drawn: MixerCase, dtype: FloatDType): Context {
  const data = drawCase(layout, drawn)
  const recurrent: Form = (inputs, state) => mixer.recurrent(inputs, state)
  const chunked: Form = (inputs, state) => mixer.chunked(inputs, state, { chunkSize: drawn.chunkSize })
  const fused: Form = (inputs, state) => mixer.fused(inputs, state)
  const forms = [['recurrent', recurrent] as const, ['chunked', chunked] as const]
  return {
    drawn,
    data,
    recurrent,
    chunked,
    forms: scope(() => mixer.supportsFused(uploadAll(data.inputs))) ? [...forms, ['fused', fused]] : forms,
    tolerance: dtype === 'float64' ? 1e-10 : 2e-6,
    gradientTolerance: dtype === 'float64' ? 1e-9 : 2e-5,
  }
}

/** @throws Error with the message of the smallest failing case and how to replay it. */
async function assertHolds<T>(
  cases: fc.Arbitrary<T>,
  numRuns: number,
  predicate: (drawn: T) => Promise<void>,
): Promise<void> {
  const details = await fc.check(fc.asyncProperty(cases, predicate), { numRuns })
  if (!details.failed) return
  const { errorInstance, seed, counterexamplePath, numShrinks } = details
  const why = errorInstance instanceof Error ? errorInstance.message : 'no case could be drawn'
  throw new Error(`${why} (shrunk ${numShrinks} times; fast-check seed ${seed}, path ${counterexamplePath})`, {
    cause: errorInstance,
  })
}

/** Central differences for every input and, where one is given, the initial state. */
async function checkDifferences(form: Form, data: HostData, seed: number): Promise<void> {
  const given = scope(() => ({ inputs: uploadAll(data.inputs), state: uploadAll(data.state ?? {}) }))
  const names = Object.keys(given.inputs)
  const states = Object.keys(given.state)
  const points = [...Object.values(given.inputs), ...Object.values(given.state)]
  const named = (keys: readonly string[], tensors: readonly Tensor[]): Tensors =>
    Object.fromEntries(keys.map((key, i) => [key, tensors[i]]))
  const loss = (...tensors: Tensor[]) => {
    const state = states.length === 0 ? undefined : named(states, tensors.slice(names.length))
    return weighted(form(named(names, tensors), state), seed)
  }
  try {
    await checkGradient(loss, points)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`inputs ${[...names, ...states].join(', ')} counted from 0: ${why}`, { cause: error })
  } finally {
    free(points)
  }
}

function sizeIn(layout: Layout, { sizes }: MixerCase, axis: string): number {
  return { ...sizes, ...layout.derive?.(sizes) }[axis]
}

function rowsOf(hosts: HostTensors, places: readonly number[]): HostTensors {
  return mapHosts(hosts, (host) => take(host, 'B', places))
}

/** Batch rows of the tensors that have any. */
function batched(places: readonly number[], hosts: HostTensors): HostTensors {
  return rowsOf(Object.fromEntries(Object.entries(hosts).filter(([, { axes }]) => axes.includes('B'))), places)
}

function expectNoneLeft(what: string, before: number): void {
  const left = memory().liveBuffers - before
  if (left !== 0) throw new Error(`${what}: ${left} buffers were left`)
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}
