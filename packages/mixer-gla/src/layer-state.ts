import { Tensor, zeros } from '@mixtape/autodiff'
import type { LayerState } from '@mixtape/nn'

/** The matrix state and, with short convolutions, their last inputs. */
export interface GlaLayerState {
  readonly S: Tensor
  readonly q?: Tensor
  readonly k?: Tensor
  readonly v?: Tensor
}

/** A layer's state before the first token. */
export function layerState(
  shape: readonly number[],
  convolution: (name: 'q' | 'k' | 'v') => Tensor | undefined,
): LayerState {
  const state: Record<string, Tensor> = { S: zeros(shape) }
  for (const name of ['q', 'k', 'v'] as const) {
    const inputs = convolution(name)
    if (inputs !== undefined) state[name] = inputs
  }
  return state
}

/** @throws TypeError when a state is not one that the layer returned. */
export function asGlaState(layer: string, state: LayerState, convolutions: boolean): GlaLayerState {
  const [S, q, k, v] = ['S', 'q', 'k', 'v'].map((key) => tensorIn(state, key))
  if (S !== undefined && !convolutions) return { S }
  if (S !== undefined && q !== undefined && k !== undefined && v !== undefined) return { S, q, k, v }
  const keys = convolutions ? 'S, q, k, v' : 'S'
  throw new TypeError(`${layer}: state must be one that this layer returned, { ${keys} }`)
}

function tensorIn(state: LayerState, key: string): Tensor | undefined {
  if (typeof state !== 'object' || state instanceof Tensor) return undefined
  const found: unknown = Reflect.get(state, key)
  return found instanceof Tensor ? found : undefined
}

/** Width of one head. @throws RangeError when heads do not divide the whole width. */
export function checkedHeads(layer: string, heads: number, what: string, width: number): number {
  if (!Number.isInteger(heads) || heads < 1 || !Number.isInteger(width / heads) || width < 1) {
    throw new RangeError(
      `${layer}: heads is ${heads} but must be a positive integer that divides the ${what}, ${width}`,
    )
  }
  return width / heads
}
