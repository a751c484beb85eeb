import {
  add,
  type Executor,
  type FloatDType,
  mul,
  reference,
  scope,
  sum,
  type Tensor,
  type TypedArray,
  tensor,
  useExecutor,
  valueAndGrad,
} from '@mixtape/autodiff'
import { openSafetensorsFile } from '@mixtape/autodiff/node'
import { wasm } from '@mixtape/autodiff/wasm'
import { glaOps } from './gla.ts'
import type { Compute, Config, GoldenOp, Tensors } from './op.ts'

/** Every op that can be recomputed, by the id golden files carry. */
const ops: Readonly<Record<string, GoldenOp>> = { ...glaOps }

/** Where golden files are recomputed. */
const executors: readonly { readonly create: () => Promise<Executor>; readonly dtypes: readonly FloatDType[] }[] = [
  { create: reference, dtypes: ['float64', 'float32'] },
  { create: () => wasm(), dtypes: ['float32'] },
]

/** One form of one file on one executor. */
export interface Verdict {
  readonly form: string
  readonly executor: string
  readonly dtype: FloatDType
  readonly outputs: ErrorFigures
  readonly gradients: ErrorFigures
  readonly pass: boolean
  /** What went wrong when it could not be computed. */
  readonly failure?: string
}

/** Worst errors over tensors: absolute, and relative to the largest magnitude of the expected tensor. */
export interface ErrorFigures {
  readonly absolute: number
  readonly relative: number
  readonly tolerance: number
}

/** A golden file in memory, float64. */
interface GoldenFile {
  readonly op: string
  readonly config: Config
  readonly groups: Readonly<Record<'in' | 'param' | 'out' | 'w' | 'grad', Readonly<Record<string, HostTensor>>>>
}

interface HostTensor {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

/**
 * Recomputes a golden file in every form, on every executor and dtype. Gives the verdicts, or the op id when it is none
 * of ours.
 */
export async function verify(path: string): Promise<{ readonly unknown: string } | { readonly verdicts: Verdict[] }> {
  const file = await load(path)
  const op = ops[file.op]
  if (op === undefined) return { unknown: file.op }
  const verdicts: Verdict[] = []
  for (const { create, dtypes } of executors) {
    for (const dtype of dtypes) {
      const executor = await useExecutor(create(), { dtype })
      try {
        for (const [form, compute] of Object.entries(op.forms)) {
          const common = { form, executor: executor.name, dtype }
          try {
            verdicts.push({ ...common, ...(await judge(file, op, compute, dtype)) })
          } catch (error) {
            const none = { absolute: Number.NaN, relative: Number.NaN, tolerance: Number.NaN }
            verdicts.push({ ...common, outputs: none, gradients: none, pass: false, failure: String(error) })
          }
        }
      } finally {
        executor.close()
      }
    }
  }
  return { verdicts }
}

async function judge(
  file: GoldenFile,
  { tolerance }: GoldenOp,
  compute: Compute,
  dtype: FloatDType,
): Promise<Pick<Verdict, 'outputs' | 'gradients' | 'pass'>> {
  const upload = (group: Readonly<Record<string, HostTensor>>): Record<string, Tensor> =>
    Object.fromEntries(Object.entries(group).map(([key, { shape, data }]) => [key, tensor(data, { shape, dtype })]))
  const { outputs, gradient } = scope(() => {
    const weights = upload(file.groups.w)
    let computed: Tensors = {}
    const loss = ({ inputs, parameters }: { inputs: Tensors; parameters: Tensors }): Tensor => {
      computed = compute(inputs, parameters, file.config)
      for (const output of Object.values(computed)) output.retain()
      const terms = Object.entries(weights).map(([key, weight]) => sum(mul(computed[key], weight)))
      return terms.reduce((total, term) => add(total, term))
    }
    const argument = { inputs: upload(file.groups.in), parameters: upload(file.groups.param) }
    const { gradient: made } = valueAndGrad(loss)(argument)
    const kept = Object.fromEntries(Object.entries(computed).map(([key, value]) => [key, value.withShape(value.shape)]))
    for (const output of Object.values(computed)) output.release()
    return { outputs: kept, gradient: made }
  })
  const expectedGradients = Object.entries(file.groups.grad).map(([key, expected]) => {
    const own = key.startsWith('param.') ? gradient.parameters[key.slice(6)] : gradient.inputs[key]
    return [key, own, expected] as const
  })
  const expectedOutputs = Object.entries(file.groups.out)
    .filter(([key]) => key !== 'loss')
    .map(([key, expected]) => [key, outputs[key], expected] as const)
  const exact = dtype === 'float64'
  const forward = await compare(expectedOutputs, exact ? tolerance.float64 : tolerance.forward)
  const backward = await compare(expectedGradients, exact ? tolerance.float64 : tolerance.gradient)
  const pass = [forward, backward].every(({ relative, tolerance: limit }) => relative <= limit)
  return { outputs: forward, gradients: backward, pass }
}

async function compare(
  pairs: readonly (readonly [string, Tensor | undefined, HostTensor])[],
  tolerance: number,
): Promise<ErrorFigures> {
  let absolute = 0
  let relative = 0
  for (const [key, own, expected] of pairs) {
    if (own === undefined) throw new Error(`${key} was not computed`)
    const { worst, largest } = distance(await own.data(), expected.data)
    absolute = Math.max(absolute, worst)
    relative = Math.max(relative, worst / (largest || 1))
  }
  return { absolute, relative, tolerance }
}

/** Largest difference, NaN and missing elements counting as infinite, and largest expected magnitude. */
function distance(own: TypedArray, expected: Float64Array): { worst: number; largest: number } {
  let worst = own.length === expected.length ? 0 : Number.POSITIVE_INFINITY
  let largest = 0
  expected.forEach((value, i) => {
    const difference = Math.abs(own[i] - value)
    worst = difference <= worst ? worst : Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference
    largest = Math.max(largest, Math.abs(value))
  })
  return { worst, largest }
}

async function load(path: string): Promise<GoldenFile> {
  const file = await openSafetensorsFile(path)
  try {
    const { op, config = '{}' } = file.metadata
    if (op === undefined) throw new Error(`${path}: metadata has no op and is no golden file`)
    const groups: Record<keyof GoldenFile['groups'], Record<string, HostTensor>> = {
      in: {},
      param: {},
      out: {},
      w: {},
      grad: {},
    }
    for (const [name, { shape, dtype }] of file.entries) {
      const prefix = name.slice(0, name.indexOf('.'))
      if (!isGroup(prefix) || dtype !== 'F64') continue
      const data = await file.read(name)
      if (data instanceof Float64Array) groups[prefix][name.slice(prefix.length + 1)] = { shape, data }
    }
    const parsed: Config = JSON.parse(config)
    return { op, config: parsed, groups }
  } finally {
    await file.close()
  }
}

function isGroup(prefix: string): prefix is keyof GoldenFile['groups'] {
  return ['in', 'param', 'out', 'w', 'grad'].includes(prefix)
}
