import {
  add,
  embedding,
  formatShape,
  type Generator,
  matmul,
  randomNormal,
  reshape,
  type Tensor,
  zeros,
} from '@mixtape/autodiff'
import { collectParameters, type Module, Parameter, type Parameters } from './parameter.ts'

export interface LinearOptions {
  readonly bias?: boolean
  /** Standard deviation of the initial weights. Default 0.02. */
  readonly deviation?: number
}

/** `y = x Wᵀ + b` over the last axis: x [..., in] → y [..., out], `weight` [out, in], `bias` [out]. */
export class Linear implements Module {
  readonly weight: Parameter
  readonly bias: Parameter | undefined

  constructor(inputs: number, outputs: number, generator: Generator, options: LinearOptions = {}) {
    this.weight = new Parameter(randomNormal(generator, [outputs, inputs], { deviation: options.deviation ?? 0.02 }))
    this.bias = options.bias ? new Parameter(zeros([outputs])) : undefined
  }

  /** @throws RangeError when the last axis of x is not the number of inputs. */
  forward(x: Tensor): Tensor {
    const [outputs, inputs] = this.weight.value.shape
    if (x.rank === 0 || x.shape[x.rank - 1] !== inputs) {
      throw new RangeError(`Linear: x has shape ${formatShape(x.shape)} but its last axis must be ${inputs}`)
    }
    const rows = reshape(x, [x.size / inputs, inputs])
    const product = matmul(rows, this.weight.value, { transposeB: true }) // [rows, out]
    const y = this.bias === undefined ? product : add(product, this.bias.value)
    return reshape(y, [...x.shape.slice(0, -1), outputs])
  }

  parameters(): Parameters {
    return collectParameters({ weight: this.weight, bias: this.bias })
  }
}

/** A table of vectors: ids [...] → [..., width], `weight` [vocabulary, width]. */
export class Embedding implements Module {
  readonly weight: Parameter

  constructor(vocabulary: number, width: number, generator: Generator, options: { readonly deviation?: number } = {}) {
    this.weight = new Parameter(randomNormal(generator, [vocabulary, width], { deviation: options.deviation ?? 0.02 }))
  }

  /** @throws RangeError when an id is outside the vocabulary. */
  forward(ids: Tensor): Tensor {
    return embedding(this.weight.value, ids)
  }

  parameters(): Parameters {
    return { weight: this.weight }
  }
}
