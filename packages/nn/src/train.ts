import { free, scope, type Tensor, valueAndGrad } from '@mixtape/autodiff'
import type { LanguageModel } from './language-model.ts'
import { adamW, clipByGlobalNorm, type Optimizer } from './optimizer.ts'
import type { Parameters } from './parameter.ts'
import { type Schedule, warmupCosine } from './schedule.ts'

/** Token ids and targets, `int32` [B, T]; a target of −100 is not counted. */
export interface TokenBatch {
  readonly ids: Tensor
  readonly targets: Tensor
}

export interface TrainOptions {
  /** Steps of the whole run, those before `from` included. */
  readonly steps: number
  /** First step, counted from 0: where a resumed run goes on. Default 0. */
  readonly from?: number
  /** Default {@link adamW} with weight decay 0.01. */
  readonly optimizer?: Optimizer
  /** Default {@link warmupCosine} with peak 3e-3. */
  readonly schedule?: Schedule
  /** Limit on the joint L2 norm of all gradients. Default 1. */
  readonly clip?: number
}

/** What one step did. */
export interface TrainStep {
  /** Counted from 1. */
  readonly step: number
  /** Mean loss of the batch before the update, nats. */
  readonly loss: number
  /** Joint L2 norm of the gradients before clipping. */
  readonly gradientNorm: number
  readonly learningRate: number
}

/**
 * Trains a model and reports every step. `batch(step)` makes the batch of a step, counted from 0; it is called in the
 * step's scope, so that its tensors are freed with it. Stop by leaving the loop: parameters and optimiser are then those
 * of the last reported step.
 * @throws Error naming the step when the loss is not finite; parameters stay as they were before that step.
 */
export async function* train(
  model: LanguageModel,
  batch: (step: number) => TokenBatch,
  options: TrainOptions,
): AsyncGenerator<TrainStep, void, undefined> {
  const { steps, from = 0, clip = 1 } = options
  const parameters = model.parameters()
  const optimizer = options.optimizer ?? adamW(parameters)
  const schedule = options.schedule ?? warmupCosine({ peak: 3e-3, steps })
  for (let step = from; step < steps; step++) {
    const { loss, gradients, norm } = scope(() => {
      const { ids, targets } = batch(step)
      const { value, gradient } = valueAndGrad<Record<string, Tensor>>(() => model.loss(ids, targets))(
        valuesOf(parameters),
      )
      return { loss: value, ...clipByGlobalNorm(gradient, clip) }
    })
    const [lossValue, gradientNorm] = [await loss.item(), await norm.item()]
    if (!Number.isFinite(lossValue) || !Number.isFinite(gradientNorm)) {
      throw new Error(`train: step ${step + 1} has loss ${lossValue} and gradient norm ${gradientNorm}`)
    }
    const learningRate = schedule(step)
    optimizer.step(gradients, learningRate)
    free([loss, norm, ...Object.values(gradients)])
    yield { step: step + 1, loss: lossValue, gradientNorm, learningRate }
  }
}

/** The current values of parameters, by name. */
export function valuesOf(parameters: Parameters): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(parameters).map(([name, parameter]) => [name, parameter.value]))
}
