import { layerNorm, ones, rmsNorm, type Tensor, zeros } from '@mixtape/autodiff'
import { collectParameters, type Module, Parameter, type Parameters } from './parameter.ts'

export interface NormOptions {
  /** Added under the square root. Default 1e-5. */
  readonly epsilon?: number
}

/** `y = x / sqrt(mean(x²) + ε) · w` over the last axis (arXiv 1910.07467). */
export class RMSNorm implements Module {
  readonly weight: Parameter
  readonly epsilon: number

  constructor(width: number, options: NormOptions = {}) {
    this.weight = new Parameter(ones([width]))
    this.epsilon = options.epsilon ?? 1e-5
  }

  /** x [..., width] → [..., width]. */
  forward(x: Tensor): Tensor {
    return rmsNorm(x, { weight: this.weight.value, epsilon: this.epsilon })
  }

  parameters(): Parameters {
    return { weight: this.weight }
  }
}

/** `y = (x − mean) / sqrt(var + ε) · w + b` over the last axis (arXiv 1607.06450). */
export class LayerNorm implements Module {
  readonly weight: Parameter
  readonly bias: Parameter | undefined
  readonly epsilon: number

  constructor(width: number, options: NormOptions & { readonly bias?: boolean } = {}) {
    this.weight = new Parameter(ones([width]))
    this.bias = options.bias === false ? undefined : new Parameter(zeros([width]))
    this.epsilon = options.epsilon ?? 1e-5
  }

  /** x [..., width] → [..., width]. */
  forward(x: Tensor): Tensor {
    return layerNorm(x, { weight: this.weight.value, bias: this.bias?.value, epsilon: this.epsilon })
  }

  parameters(): Parameters {
    return collectParameters({ weight: this.weight, bias: this.bias })
  }
}
