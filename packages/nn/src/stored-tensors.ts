import { currentExecutor, formatShape, free, sameShape, type Tensor } from '@mixtape/autodiff'
import type { SafetensorsDType, SafetensorsFile } from '@mixtape/autodiff/safetensors'

/** Tensors a file must hold, by the name they have there. */
export type Expected = ReadonlyMap<string, Tensor>

export interface CheckOptions {
  /** Names in the file that are somebody else's. Default: none. */
  readonly ignore?: (name: string) => boolean
  /** Whether elements may be stored in another floating type than the expected tensor's. */
  readonly conversion: 'any' | 'none'
}

/**
 * Checks that a file holds the expected tensors, in shapes and types that fit, and no others.
 * @throws Error naming all that are missing, unexpected or different; when the tensors are on an executor that is not in
 * use.
 */
export function checkStored(op: string, file: SafetensorsFile, expected: Expected, options: CheckOptions): void {
  const { ignore = () => false, conversion } = options
  const found = [...file.entries].filter(([name]) => !ignore(name))
  const missing = [...expected.keys()].filter((name) => !file.entries.has(name))
  const unexpected = found.map(([name]) => name).filter((name) => !expected.has(name))
  const different = found.flatMap(([name, { dtype, shape }]) => {
    const tensor = expected.get(name)
    if (tensor === undefined) return []
    const own = tensor.dtype === 'float64' ? 'F64' : 'F32'
    const fits = conversion === 'any' ? floating.has(dtype) : dtype === own
    if (fits && sameShape(shape, tensor.shape)) return []
    return [`${name} is ${dtype} ${formatShape(shape)} but must be ${own} ${formatShape(tensor.shape)}`]
  })
  const problems = [
    ...describe('missing', missing),
    ...describe('unexpected', unexpected),
    ...describe('different', different),
  ]
  if (problems.length > 0) throw new Error(`${op}: the file does not fit: ${problems.join('; ')}`)
  for (const { executor } of expected.values()) {
    if (executor === currentExecutor()) continue
    throw new Error(`${op}: the model is on an executor ${executor.name} that is not in use; call useExecutor with it`)
  }
}

/** Reads checked tensors, all or none, in the types of those expected. */
export async function readStored(file: SafetensorsFile, expected: Expected): Promise<ReadonlyMap<string, Tensor>> {
  const read = new Map<string, Tensor>()
  try {
    for (const [name, { dtype }] of expected) read.set(name, await file.tensor(name, { dtype }))
    return read
  } catch (cause) {
    free(read.values())
    throw cause
  }
}

const floating: ReadonlySet<SafetensorsDType> = new Set(['F64', 'F32', 'F16', 'BF16'])

/** As much of a list as a message can bear. */
function describe(what: string, items: readonly string[]): string[] {
  if (items.length === 0) return []
  const shown = items.slice(0, 20)
  const more = items.length - shown.length
  return [`${what} ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`]
}
