import { add, div, minimum, mul, scope, sqrt, square, sub, sum, type Tensor } from '@mixtape/autodiff'
import { Averages } from './averages.ts'
import type { Parameters } from './parameter.ts'

/** Gradients by parameter name. */
export type Gradients = Readonly<Record<string, Tensor>>

/** Changes parameters along their gradients and keeps what it needs for that between steps. */
export interface Optimizer {
  /**
   * One update of every parameter that has a gradient. May run in a scope: what it keeps outlives the scope.
   * @throws RangeError or TypeError, before anything changes, when a gradient has no parameter or does not fit it, or the
   * learning rate is not a number of at least 0.
   */
  step(gradients: Gradients, learningRate: number): void
  /** Steps taken and running averages, to be saved in a checkpoint. The tensors are freed by the next step. */
  state(): OptimizerState
  /**
   * Goes on from a saved state, whose tensors the optimiser then owns.
   * @throws Error, before anything changes, when the state is not one of this kind of optimiser over these parameters.
   */
  restore(state: OptimizerState): void
}

export interface OptimizerState {
  /** `adamW`, `sgd`, …: only an optimiser of the same kind takes the state. */
  readonly kind: string
  readonly steps: number
  /** Running averages by `parameter name/average`. */
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

/**
 * Adam with decoupled weight decay (arXiv 1711.05101), bias-corrected.
 * @throws RangeError when a beta is not in [0, 1), epsilon is not positive, or weightDecay is negative.
 */
export function adamW(parameters: Parameters, options: AdamWOptions = {}): Optimizer {
  const { betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0.01, decays = (_, value) => value.rank >= 2 } = options
  const [beta1, beta2] = betas
  for (const beta of betas) check('adamW', 'betas', betas, beta >= 0 && beta < 1, 'in [0, 1)')
  check('adamW', 'epsilon', epsilon, epsilon > 0, 'positive')
  check('adamW', 'weightDecay', weightDecay, weightDecay >= 0, '0 or more')
  const averages = new Averages('adamW', parameters, ['mean', 'square'])
  return {
    step(gradients, learningRate) {
      const updates = averages.begin(gradients, learningRate)
      const correction1 = 1 - beta1 ** averages.steps
      const correction2 = 1 - beta2 ** averages.steps
      for (const [name, gradient, parameter] of updates) {
        const decay = decays(name, parameter.value) ? learningRate * weightDecay : 0
        scope(() => {
          const mean = add(mul(averages.get(name, 'mean'), beta1), mul(gradient, 1 - beta1))
          const meanSquare = add(mul(averages.get(name, 'square'), beta2), mul(square(gradient), 1 - beta2))
          const denominator = add(sqrt(mul(meanSquare, 1 / correction2)), epsilon)
          const move = mul(div(mean, denominator), learningRate / correction1)
          averages.set(name, 'mean', mean)
          averages.set(name, 'square', meanSquare)
          parameter.value = sub(mul(parameter.value, 1 - decay), move)
        })
      }
    },
    state: () => averages.state(),
    restore: (state) => averages.restore(state),
  }
}

export interface SgdOptions {
  /** In [0, 1). Default 0: plain gradient descent. */
  readonly momentum?: number
  /** L2 penalty added to the gradient. Default 0. */
  readonly weightDecay?: number
}

/**
 * Stochastic gradient descent: `m ← μm + g + λw; w ← w − ηm`.
 * @throws RangeError when momentum is not in [0, 1) or weightDecay is negative.
 */
export function sgd(parameters: Parameters, options: SgdOptions = {}): Optimizer {
  const { momentum = 0, weightDecay = 0 } = options
  check('sgd', 'momentum', momentum, momentum >= 0 && momentum < 1, 'in [0, 1)')
  check('sgd', 'weightDecay', weightDecay, weightDecay >= 0, '0 or more')
  const averages = new Averages('sgd', parameters, momentum === 0 ? [] : ['momentum'])
  return {
    step(gradients, learningRate) {
      for (const [name, gradient, parameter] of averages.begin(gradients, learningRate)) {
        scope(() => {
          const slope = weightDecay === 0 ? gradient : add(gradient, mul(parameter.value, weightDecay))
          const move = momentum === 0 ? slope : add(mul(averages.get(name, 'momentum'), momentum), slope)
          if (momentum !== 0) averages.set(name, 'momentum', move)
          parameter.value = sub(parameter.value, mul(move, learningRate))
        })
      }
    },
    state: () => averages.state(),
    restore: (state) => averages.restore(state),
  }
}

/**
 * Scales all gradients so that their joint L2 norm is at most `limit`; `Infinity` leaves them as they are. Gives the
 * gradients and the norm before, a scalar.
 * @throws RangeError when there are no gradients or the limit is not positive.
 */
export function clipByGlobalNorm(gradients: Gradients, limit: number): { gradients: Gradients; norm: Tensor } {
  const tensors = Object.values(gradients)
  if (tensors.length === 0) throw new RangeError('clipByGlobalNorm: gradients is empty but must hold a tensor')
  check('clipByGlobalNorm', 'limit', limit, limit > 0, 'positive')
  return scope(() => {
    const norm = sqrt(tensors.map((tensor) => sum(square(tensor))).reduce((total, part) => add(total, part)))
    const factor = minimum(div(limit, norm), 1)
    const clipped = Object.entries(gradients).map(([name, gradient]) => [name, mul(gradient, factor)] as const)
    return { gradients: Object.fromEntries(clipped), norm }
  })
}

function check(op: string, name: string, value: number | readonly number[], holds: boolean, must: string): void {
  if (!holds) throw new RangeError(`${op}: ${name} is ${value} but must be ${must}`)
}
