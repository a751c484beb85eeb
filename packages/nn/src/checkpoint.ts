import type { Generator, GeneratorState, Tensor } from '@mixtape/autodiff'
import type { SafetensorsFile } from '@mixtape/autodiff/safetensors'
import type { Optimizer } from './optimizer.ts'
import { type Module, valuesOf } from './parameter.ts'
import { checkStored, readStored } from './stored-tensors.ts'

/** What a checkpoint is made of, and what it is restored into. */
export interface CheckpointParts {
  readonly model: Module
  readonly optimizer?: Optimizer
  /** Generators that the run draws from, by names of your choice. */
  readonly generators?: Readonly<Record<string, Generator>>
}

export interface Checkpoint extends CheckpointParts {
  /** Steps done: what `train` takes as `from` to go on. */
  readonly step: number
  /** Anything else worth keeping. */
  readonly metadata?: Readonly<Record<string, string>>
}

export interface RestoredCheckpoint {
  readonly step: number
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * A checkpoint as safetensors take it: parameters under their names, the optimiser's averages under
 * `optimizer/parameter name/average`, the rest as strings. Nothing is rounded, so a run goes on bit for bit.
 * Write the tensors before the optimiser's next step, which frees them.
 * @throws RangeError when step is not a non-negative integer or a parameter's name begins with `optimizer/`.
 */
export function checkpointTensors(checkpoint: Checkpoint): {
  tensors: Record<string, Tensor>
  metadata: Record<string, string>
} {
  const { model, optimizer, generators, step, metadata } = checkpoint
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new RangeError(`checkpoint: step is ${step} but must be a non-negative integer`)
  }
  const values = valuesOf(model.parameters())
  const reserved = Object.keys(values).find(isOptimizerName)
  if (reserved !== undefined) {
    throw new RangeError(`checkpoint: a parameter is named ${reserved} but ${prefix} is for the optimiser`)
  }
  const state = optimizer?.state()
  const averages = Object.entries(state?.tensors ?? {}).map(([name, tensor]) => [`${prefix}${name}`, tensor] as const)
  const states = Object.entries(generators ?? {}).map(([name, generator]) => [name, generator.state] as const)
  return {
    tensors: { ...values, ...Object.fromEntries(averages) },
    metadata: {
      format,
      version,
      step: String(step),
      ...(state === undefined ? {} : { optimizer: JSON.stringify({ kind: state.kind, steps: state.steps }) }),
      generators: JSON.stringify(Object.fromEntries(states)),
      metadata: JSON.stringify(metadata ?? {}),
    },
  }
}

/**
 * Puts a run back where it was saved. An optimiser or generators that are not given are left out of the file; those
 * given must be in it, the optimiser of the same kind over the same parameters, the generators by the same names.
 * @throws Error saying what does not fit. Whatever is thrown, model, optimiser and generators are as before.
 */
export async function restoreCheckpoint(file: SafetensorsFile, parts: CheckpointParts): Promise<RestoredCheckpoint> {
  const { model, optimizer, generators = {} } = parts
  const header = readHeader(file.metadata)
  const own = optimizer?.state()
  const saved = own === undefined ? undefined : checkOptimizer(header, own.kind)
  const states = parts.generators === undefined ? {} : checkGenerators(header, Object.keys(generators))
  const parameters = model.parameters()
  const averages = Object.entries(own?.tensors ?? {}).map(([name, tensor]) => [`${prefix}${name}`, tensor] as const)
  const expected = new Map([...Object.entries(valuesOf(parameters)), ...averages])
  const ignore = (name: string) => own === undefined && isOptimizerName(name)
  checkStored('checkpoint', file, expected, { ignore, conversion: 'none' })
  const read = [...(await readStored(file, expected))]
  if (optimizer !== undefined && saved !== undefined) {
    const tensors = read.filter(([name]) => isOptimizerName(name))
    const bare = tensors.map(([name, tensor]) => [name.slice(prefix.length), tensor] as const)
    optimizer.restore({ ...saved, tensors: Object.fromEntries(bare) })
  }
  for (const [name, tensor] of read) if (!isOptimizerName(name)) parameters[name].value = tensor
  for (const [name, state] of Object.entries(states)) generators[name].state = state
  return { step: header.step, metadata: header.metadata }
}

const format = 'mixtape checkpoint'
const version = '1'
const prefix = 'optimizer/'

function isOptimizerName(name: string): boolean {
  return name.startsWith(prefix)
}

/** The strings of a checkpoint, understood. */
interface Header {
  readonly step: number
  readonly optimizer: { readonly kind: string; readonly steps: number } | undefined
  readonly generators: Readonly<Record<string, GeneratorState>>
  readonly metadata: Readonly<Record<string, string>>
}

function readHeader(strings: Readonly<Record<string, string>>): Header {
  if (strings.format !== format) {
    const found = strings.format === undefined ? 'no format' : `format ${JSON.stringify(strings.format)}`
    throw new Error(`checkpoint: the file has ${found} in its metadata but must have ${JSON.stringify(format)}`)
  }
  if (strings.version !== version) {
    throw new Error(`checkpoint: the file has version ${strings.version} but this code reads version ${version}`)
  }
  return {
    step: parse(strings, 'step', isCount),
    optimizer: strings.optimizer === undefined ? undefined : parse(strings, 'optimizer', isOptimizer),
    generators: parse(strings, 'generators', isRecordOf(isGeneratorState)),
    metadata: parse(strings, 'metadata', isRecordOf(isString)),
  }
}

function parse<T>(strings: Readonly<Record<string, string>>, key: string, is: (value: unknown) => value is T): T {
  let value: unknown
  try {
    value = JSON.parse(strings[key] ?? '')
  } catch {
    value = undefined
  }
  if (is(value)) return value
  throw new Error(
    `checkpoint: ${key} is ${JSON.stringify(strings[key])} in the file's metadata and cannot be understood`,
  )
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isOptimizer(value: unknown): value is { kind: string; steps: number } {
  return isObject(value) && 'kind' in value && isString(value.kind) && 'steps' in value && isCount(value.steps)
}

function isGeneratorState(value: unknown): value is GeneratorState {
  return Array.isArray(value) && value.length === 4 && value.every((word) => isCount(word) && word < 2 ** 32)
}

function isRecordOf<T>(is: (value: unknown) => value is T): (value: unknown) => value is Readonly<Record<string, T>> {
  return (value): value is Readonly<Record<string, T>> => isObject(value) && Object.values(value).every(is)
}

function checkOptimizer({ optimizer }: Header, kind: string): { kind: string; steps: number } {
  if (optimizer === undefined)
    throw new Error(`checkpoint: the file has no optimiser but must have one of kind ${kind}`)
  if (optimizer.kind !== kind) {
    throw new Error(`checkpoint: the file has an optimiser of kind ${optimizer.kind} but must have one of kind ${kind}`)
  }
  return optimizer
}

function checkGenerators({ generators }: Header, names: readonly string[]): Readonly<Record<string, GeneratorState>> {
  const saved = Object.keys(generators)
  if (saved.length !== names.length || !names.every((name) => Object.hasOwn(generators, name))) {
    throw new Error(`checkpoint: the file has generators [${saved.join(', ')}] but must have [${names.join(', ')}]`)
  }
  return generators
}
