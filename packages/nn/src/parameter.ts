import type { Tensor } from '@mixtape/autodiff'
import { KeptTensor } from './kept-tensor.ts'

/**
 * A trainable tensor. Layers read `value`; an optimiser puts a new tensor in its place, since tensors themselves never
 * change. A parameter owns its value: no scope frees it, the next value does.
 */
export class Parameter {
  readonly #kept: KeptTensor

  constructor(value: Tensor) {
    this.#kept = new KeptTensor('parameter', value)
  }

  get value(): Tensor {
    return this.#kept.tensor
  }

  /**
   * Replaces the value and frees the old one.
   * @throws RangeError when the shape differs, TypeError when the dtype or the executor does.
   */
  set value(next: Tensor) {
    this.#kept.tensor = next
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

/** The current values of parameters, by name. An optimiser's next step frees them. */
export function valuesOf(parameters: Parameters): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(parameters).map(([name, parameter]) => [name, parameter.value]))
}
