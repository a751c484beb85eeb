import {
  add,
  div,
  formatShape,
  free,
  maximum,
  mul,
  sameShape,
  scope,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  zeros,
} from '@mixtape/autodiff'
import type { Parameter, Parameters } from './parameter.ts'

/** Gradients by parameter name. */
export type Gradients = Readonly<Record<string, Tensor>>

/** Changes parameters along their gradients and keeps what it needs for that between steps. */
export interface Optimizer {
  /** One update of every parameter that has a gradient. */
  step(gradients: Gradients, learningRate: number): void
  /** Steps taken and running averages by `name/kind`, to be saved in a checkpoint. */
  state(): OptimizerState
  /** @throws Error when the state is not one of this optimiser over these parameters. */
  restore(state: OptimizerState): void
}

export interface OptimizerState {
  readonly steps: number
  readonly tensors: Gradients
}

export interface AdamWOptions {
  /** Decay rates of the running averages of the gradient and its square. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number]
  /** Default 1e-8. */
  readonly epsilon?: number
  /** Decoupled weight decay, times the learning rate. Default 0.01. */
  readonly weightDecay?: number
  /** Whether a parameter decays. Default: those with two or more axes, so no biases and no norm weights. */
  readonly decays?: (name: string, value: Tensor) => boolean
}

/** Adam with decoupled weight decay (arXiv 1711.05101), bias-corrected. */
export function adamW(parameters: Parameters, options: AdamWOptions = {}): Optimizer {
  const { betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0.01, decays = (_, value) => value.rank >= 2 } = options
  const [beta1, beta2] = betas
  const averages = new Averages(parameters, ['mean', 'square'])
  return {
    step(gradients, learningRate) {
      averages.steps++
      const correction1 = 1 - beta1 ** averages.steps
      const correction2 = 1 - beta2 ** averages.steps
      for (const [name, gradient] of Object.entries(gradients)) {
        const parameter = averages.parameter(name)
        const decay = decays(name, parameter.value) ? learningRate * weightDecay : 0
        const next = scope(() => {
          const mean = add(mul(averages.get(name, 'mean'), beta1), mul(gradient, 1 - beta1))
          const meanSquare = add(mul(averages.get(name, 'square'), beta2), mul(square(gradient), 1 - beta2))
          const denominator = add(sqrt(mul(meanSquare, 1 / correction2)), epsilon)
          const move = mul(div(mean, denominator), learningRate / correction1)
          return { mean, square: meanSquare, value: sub(mul(parameter.value, 1 - decay), move) }
        })
        averages.set(name, 'mean', next.mean)
        averages.set(name, 'square', next.square)
        parameter.value = next.value
      }
    },
    state: () => averages.state(),
    restore: (state) => averages.restore(state),
  }
}

export interface SgdOptions {
  /** Default 0: plain gradient descent. */
  readonly momentum?: number
  /** L2 penalty added to the gradient. Default 0. */
  readonly weightDecay?: number
}

/** Stochastic gradient descent: `m ← μm + g + λw; w ← w − ηm`. */
export function sgd(parameters: Parameters, options: SgdOptions = {}): Optimizer {
  const { momentum = 0, weightDecay = 0 } = options
  const averages = new Averages(parameters, momentum === 0 ? [] : ['momentum'])
  return {
    step(gradients, learningRate) {
      averages.steps++
      for (const [name, gradient] of Object.entries(gradients)) {
        const parameter = averages.parameter(name)
        const next = scope(() => {
          const slope = weightDecay === 0 ? gradient : add(gradient, mul(parameter.value, weightDecay))
          const move = momentum === 0 ? slope : add(mul(averages.get(name, 'momentum'), momentum), slope)
          return { move, value: sub(parameter.value, mul(move, learningRate)) }
        })
        if (momentum === 0) {
          if (next.move !== gradient) free([next.move])
        } else averages.set(name, 'momentum', next.move)
        parameter.value = next.value
      }
    },
    state: () => averages.state(),
    restore: (state) => averages.restore(state),
  }
}

/** Scales all gradients so that their joint L2 norm is at most `limit`. Gives the gradients and the norm before, a scalar. */
export function clipByGlobalNorm(gradients: Gradients, limit: number): { gradients: Gradients; norm: Tensor } {
  return scope(() => {
    const norm = globalNorm(Object.values(gradients))
    const factor = div(limit, maximum(norm, limit))
    const clipped = Object.entries(gradients).map(([name, gradient]) => [name, mul(gradient, factor)] as const)
    return { gradients: Object.fromEntries(clipped), norm }
  })
}

function globalNorm(tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 0)
    throw new RangeError('clipByGlobalNorm: gradients is empty but must hold at least one tensor')
  return sqrt(tensors.map((tensor) => sum(square(tensor))).reduce((total, part) => add(total, part)))
}

/** Running averages of an optimiser: zeros of each parameter's shape, made when the optimiser is. */
class Averages {
  steps = 0
  readonly #parameters: Parameters
  readonly #tensors = new Map<string, Tensor>()

  constructor(parameters: Parameters, kinds: readonly string[]) {
    this.#parameters = parameters
    for (const [name, { value }] of Object.entries(parameters)) {
      for (const kind of kinds) {
        this.#tensors.set(`${name}/${kind}`, zeros(value.shape, { dtype: value.dtype, executor: value.executor }))
      }
    }
  }

  parameter(name: string): Parameter {
    const parameter = this.#parameters[name]
    if (parameter === undefined) throw new Error(`optimizer: there is a gradient for ${name} but no such parameter`)
    return parameter
  }

  get(name: string, kind: string): Tensor {
    const tensor = this.#tensors.get(`${name}/${kind}`)
    if (tensor === undefined) throw new Error(`optimizer: there is a gradient for ${name} but no such parameter`)
    return tensor
  }

  set(name: string, kind: string, next: Tensor): void {
    const previous = this.get(name, kind)
    this.#tensors.set(`${name}/${kind}`, next)
    free([previous])
  }

  state(): OptimizerState {
    return { steps: this.steps, tensors: Object.fromEntries(this.#tensors) }
  }

  restore({ steps, tensors }: OptimizerState): void {
    for (const [key, own] of this.#tensors) {
      const saved = tensors[key]
      if (saved === undefined || !sameShape(saved.shape, own.shape)) {
        const found = saved === undefined ? 'is missing' : `has shape ${formatShape(saved.shape)}`
        throw new Error(`optimizer: state ${key} ${found} but must have shape ${formatShape(own.shape)}`)
      }
    }
    this.steps = steps
    for (const [key, own] of this.#tensors) {
      this.#tensors.set(key, tensors[key])
      free([own])
    }
  }
}
