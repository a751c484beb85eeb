import type { DType } from '../dtype.ts'
import type { FusedKernel, FusedParams } from '../executor.ts'
import type { Shape } from '../shape.ts'
import { record, stopGradient } from '../tape.ts'
import { emptyTensor, type Tensor } from '../tensor.ts'

/** What a forward pass gives: its results, and what its gradient will need besides the inputs. */
export interface CustomForward {
  readonly outputs: readonly Tensor[]
  readonly saved?: readonly Tensor[]
}

/** What a custom gradient is made from. */
export interface CustomBackward {
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
  readonly saved: readonly Tensor[]
  /** Gradients of the outputs. */
  readonly gradients: readonly Tensor[]
  /** Whether each input's gradient is wanted. */
  readonly needs: readonly boolean[]
}

export interface CustomGradient {
  /** Named in error messages and by anomaly mode. */
  readonly name: string
  /** Runs without being recorded. */
  forward(inputs: readonly Tensor[]): CustomForward
  /** Gradients of the inputs, in order; `undefined` for those that have none. May be differentiated again. */
  backward(context: CustomBackward): readonly (Tensor | undefined)[]
}

/**
 * A function of tensors with a gradient of your own: one node on the tape, whatever `forward` does inside.
 */
export function customGradient(definition: CustomGradient): (...inputs: Tensor[]) => readonly Tensor[] {
  const { name } = definition
  return (...inputs) => {
    const { outputs, saved = [] } = stopGradient(() => definition.forward(inputs))
    record({
      name,
      inputs,
      outputs,
      saved: [...inputs, ...outputs, ...saved],
      backward: (gradients, needs) => definition.backward({ inputs, outputs, saved, gradients, needs }),
    })
    return outputs
  }
}

/** Shape and type of a fused kernel's output. */
export interface OutputSpec {
  readonly shape: Shape
  /** Default: that of the first input. */
  readonly dtype?: DType
}

/** Whether the tensors' executor has an implementation of a fused kernel; where not, use a composition of ops. */
export function supportsFused(kernel: FusedKernel, tensor: Tensor): boolean {
  return tensor.executor.supports(kernel)
}

/**
 * Runs a fused kernel on the inputs' executor. Not recorded: use it inside of {@link customGradient}.
 * @throws Error when the executor has no implementation of it.
 */
export function runFused(
  kernel: FusedKernel,
  inputs: readonly Tensor[],
  outputs: readonly OutputSpec[],
  params: FusedParams,
): Tensor[] {
  const [{ executor, dtype }] = inputs
  if (!executor.supports(kernel)) throw new Error(`${kernel.name}: has no implementation for executor ${executor.name}`)
  const buffers = inputs.map((tensor) => tensor.buffer)
  const made = outputs.map((output) => emptyTensor(executor, output.dtype ?? dtype, output.shape))
  executor.runFused(
    kernel,
    buffers,
    made.map((tensor) => tensor.buffer),
    params,
  )
  return made
}
