import { type Generator, gelu, mul, silu, type Tensor } from '@mixtape/autodiff'
import { Linear } from './linear.ts'
import { collectParameters, type Module, type Parameters } from './parameter.ts'

/** A position-wise network: x [..., D] → [..., D]. */
export interface FeedForward extends Module {
  forward(x: Tensor): Tensor
}

/** `down(silu(gate(x)) ⊙ up(x))` without biases (arXiv 2002.05202). */
export class SwiGLU implements FeedForward {
  readonly gate: Linear
  readonly up: Linear
  readonly down: Linear

  constructor(width: number, innerWidth: number, generator: Generator) {
    this.gate = new Linear(width, innerWidth, generator.split('gate'))
    this.up = new Linear(width, innerWidth, generator.split('up'))
    this.down = new Linear(innerWidth, width, generator.split('down'))
  }

  forward(x: Tensor): Tensor {
    return this.down.forward(mul(silu(this.gate.forward(x)), this.up.forward(x)))
  }

  parameters(): Parameters {
    return collectParameters({ gate_proj: this.gate, up_proj: this.up, down_proj: this.down })
  }
}

/** `down(gelu(up(x)))` with biases. */
export class GeluMLP implements FeedForward {
  readonly up: Linear
  readonly down: Linear

  constructor(width: number, innerWidth: number, generator: Generator) {
    this.up = new Linear(width, innerWidth, generator.split('up'), { bias: true })
    this.down = new Linear(innerWidth, width, generator.split('down'), { bias: true })
  }

  forward(x: Tensor): Tensor {
    return this.down.forward(gelu(this.up.forward(x)))
  }

  parameters(): Parameters {
    return collectParameters({ up_proj: this.up, down_proj: this.down })
  }
}

/** The inner width GLA models use: ⌊8/3·D⌋ rounded up to a multiple of `multiple` (256 upstream). */
export function swigluWidth(width: number, multiple: number = 256): number {
  return Math.ceil(Math.floor((width * 8) / 3) / multiple) * multiple
}
