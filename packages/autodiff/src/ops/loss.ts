import { formatShape, sameShape } from '../shape.ts'
import { emptyTensor, type Tensor } from '../tensor.ts'
import { div, mul, neg } from './arithmetic.ts'
import { checkOperands } from './elementwise.ts'
import { sum } from './reduce.ts'
import { logSoftmax } from './softmax.ts'

export interface CrossEntropyOptions {
  /** Targets with this value are not counted. Default −100. */
  readonly ignoreIndex?: number
}

/**
 * Mean of −log softmax(logits)[target] over the targets that are not ignored, in nats: logits [..., V],
 * targets `int32` [...] → scalar; NaN when every target is ignored.
 * @throws RangeError when the shapes differ or a target is neither ignored nor in [0, V).
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { ignoreIndex = -100 } = options
  checkOperands('crossEntropy', [logits])
  const [classes] = logits.shape.slice(-1)
  if (logits.rank === 0 || targets.dtype !== 'int32' || !sameShape(targets.shape, logits.shape.slice(0, -1))) {
    throw new RangeError(
      `crossEntropy: logits have shape ${formatShape(logits.shape)} and targets are ${targets} but must be [..., V] and int32 [...]`,
    )
  }
  const [low, high] = targets.range ?? [0, -1]
  if ((low < 0 && low !== ignoreIndex) || (high >= classes && high !== ignoreIndex)) {
    throw new RangeError(
      `crossEntropy: targets have values from ${low} to ${high} but they must be ${ignoreIndex} or in [0, ${classes})`,
    )
  }
  const hits = emptyTensor(logits.executor, logits.dtype, logits.shape)
  logits.executor.run('oneHot', [targets.buffer], [hits.buffer], { count: targets.size, classes })
  return neg(div(sum(mul(hits, logSoftmax(logits))), sum(hits)))
}
