import { formatShape, free, sameShape, type Tensor } from '@mixtape/autodiff'

/**
 * A trainable tensor. Layers read `value`; an optimiser puts a new tensor in its place, since tensors themselves never
 * change.
 */
export class Parameter {
  #value: Tensor

  constructor(value: Tensor) {
    this.#value = value
  }

  get value(): Tensor {
    return this.#value
  }

  /**
   * Replaces the value and frees the old one.
   * @throws RangeError when the shape differs.
   */
  set value(next: Tensor) {
    if (!sameShape(next.shape, this.#value.shape)) {
      throw new RangeError(
        `parameter has shape ${formatShape(this.#value.shape)} but its new value has ${formatShape(next.shape)}`,
      )
    }
    const previous = this.#value
    this.#value = next
    if (previous !== next) free([previous])
  }
}

/** Parameters by dotted name, in a fixed order. */
export type Parameters = Readonly<Record<string, Parameter>>

/** Anything with parameters. */
export interface Module {
  /** Parameters by name, the names those of the upstream implementation. */
  parameters(): Parameters
}

/** Puts the parameters of submodules together, each name prefixed with its module's. `undefined` submodules are left out. */
export function collectParameters(modules: Readonly<Record<string, Module | Parameter | undefined>>): Parameters {
  const collected: Record<string, Parameter> = {}
  for (const [prefix, module] of Object.entries(modules)) {
    if (module instanceof Parameter) collected[prefix] = module
    else if (module !== undefined) {
      for (const [name, parameter] of Object.entries(module.parameters())) collected[`${prefix}.${name}`] = parameter
    }
  }
  return collected
}

/** Number of trainable scalars. */
export function countParameters(module: Module): number {
  return Object.values(module.parameters()).reduce((count, { value }) => count + value.size, 0)
}
