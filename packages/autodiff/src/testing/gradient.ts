import { useContext } from '../context.ts'
import { mul } from '../ops/arithmetic.ts'
import { sum } from '../ops/reduce.ts'
import { randomGenerator } from '../random.ts'
import { scope } from '../scope.ts'
import { formatShape } from '../shape.ts'
import { valueAndGrad } from '../tape.ts'
import { type Tensor, upload } from '../tensor.ts'

export interface CheckGradientOptions {
  /** Distance of the two evaluations from the point. Default 1e-6. */
  readonly step?: number
  /** Largest difference allowed, relative to max(1, largest |gradient| of the input). Default 1e-6. */
  readonly tolerance?: number
}

/**
 * Compares the gradient of `f` with central differences, for every element of every input. A result that is no scalar
 * is summed with fixed random weights. For float64 tensors: `await useExecutor(reference(), { dtype: 'float64' })`.
 * @throws Error naming the worst element with both values.
 */
export async function checkGradient(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: CheckGradientOptions = {},
): Promise<void> {
  const { step = 1e-6, tolerance = 1e-6 } = options
  const objective = (points: readonly Tensor[]) => weightedSum(f(...points))
  const { gradient } = valueAndGrad(objective)(inputs)
  for (const [which, input] of inputs.entries()) {
    const values = await input.data()
    const analytic = await gradient[which].data()
    const scale = Float64Array.from(analytic, Math.abs).reduce((most, value) => Math.max(most, value), 1)
    const evaluate = async (element: number, change: number): Promise<number> => {
      const moved = values.slice()
      moved[element] += change
      const value = scope(() =>
        objective(inputs.toSpliced(which, 1, upload(moved, input.shape, input.dtype, input.executor))),
      )
      return value.item()
    }
    for (let element = 0; element < values.length; element++) {
      const numeric = ((await evaluate(element, step)) - (await evaluate(element, -step))) / (2 * step)
      const error = Math.abs(analytic[element] - numeric)
      if (!(error <= tolerance * scale)) {
        throw new Error(
          `gradient of input ${which} ${formatShape(input.shape)} at element ${element}, where it is ${values[element]}: ` +
            `${analytic[element]} but central differences give ${numeric}`,
        )
      }
    }
  }
}

function weightedSum(x: Tensor): Tensor {
  const generator = randomGenerator('weights')
  const weights = new Float64Array(x.size).map(() => generator.uniform() + 0.5)
  return sum(mul(x, upload(weights, x.shape, useContext().dtype, x.executor)))
}
