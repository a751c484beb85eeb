import { free, scope, type Tensor, tensorsIn, valueAndGrad } from '@mixtape/autodiff'
import type { LanguageModel } from './language-model.ts'
import { adamW, clipByGlobalNorm, type Optimizer } from './optimizer.ts'
import { type Parameters, valuesOf } from './parameter.ts'
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
  /** Limit on the joint L2 norm of all gradients; `Infinity` for none. Default 1. */
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
 * @throws RangeError, at once, when steps, from or clip is out of range; Error naming the step, on the way, when the loss
 * or a gradient is not finite: parameters and optimiser stay as they were before that step.
 */
export function train(
  model: LanguageModel,
  batch: (step: number) => TokenBatch,
  options: TrainOptions,
): AsyncGenerator<TrainStep, void, undefined> {
  const { steps, from = 0, clip = 1 } = options
  checkCount('steps', steps)
  checkCount('from', from)
  if (!(clip > 0)) throw new RangeError(`train: clip is ${clip} but must be positive`)
  const parameters = model.parameters()
  const optimizer = options.optimizer ?? adamW(parameters)
  const schedule = options.schedule ?? warmupCosine({ peak: 3e-3, steps })
  return run({ model, batch, parameters, optimizer, schedule, steps, from, clip })
}

interface Run extends Required<TrainOptions> {
  readonly model: LanguageModel
  readonly batch: (step: number) => TokenBatch
  readonly parameters: Parameters
}

async function* run(options: Run): AsyncGenerator<TrainStep, void, undefined> {
  for (let step = options.from; step < options.steps; step++) yield await takeStep(options, step)
}

async function takeStep(options: Run, step: number): Promise<TrainStep> {
  const { model, batch, parameters, optimizer, schedule, clip } = options
  const made = scope(() => {
    const { ids, targets } = batch(step)
    const lossOf = () => model.loss(ids, targets)
    const { value, gradient } = valueAndGrad<Record<string, Tensor>>(lossOf)(valuesOf(parameters))
    return { loss: value, ...clipByGlobalNorm(gradient, clip) }
  })
  try {
    const [loss, gradientNorm] = [await made.loss.item(), await made.norm.item()]
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
      throw new Error(`train: step ${step + 1} has loss ${loss} and gradient norm ${gradientNorm}`)
    }
    const learningRate = schedule(step)
    optimizer.step(made.gradients, learningRate)
    return { step: step + 1, loss, gradientNorm, learningRate }
  } finally {
    free(tensorsIn(made))
  }
}

function checkCount(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0) {
    throw new RangeError(`train: ${name} is ${value} but must be a non-negative integer`)
  }
}
