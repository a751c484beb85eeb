import { formatShape, free, sameShape, type Tensor } from '@mixtape/autodiff'

/** Gives back the memory of tensors whose holder is garbage. */
const unreachable = new FinalizationRegistry<() => void>((release) => release())

/**
 * A place for a tensor that outlives the scope it was made in: the value of a parameter, a running average of an
 * optimiser. The tensor is freed when another one takes its place, or with the holder.
 */
export class KeptTensor {
  readonly #name: string
  #tensor: Tensor

  /** `name` starts the messages of errors. */
  constructor(name: string, tensor: Tensor) {
    checkLive(name, tensor)
    this.#name = name
    this.#tensor = tensor
    this.#hold(tensor)
  }

  get tensor(): Tensor {
    return this.#tensor
  }

  /** @throws RangeError when the shape differs, TypeError when the dtype or the executor does, Error when `next` was freed. */
  set tensor(next: Tensor) {
    this.check(next)
    const previous = this.#tensor
    if (previous === next) return
    unreachable.unregister(this)
    this.#tensor = next
    this.#hold(next)
    previous.release()
    free([previous])
  }

  /** Throws what assigning `next` would throw. */
  check(next: Tensor): void {
    const { shape, dtype, executor } = this.#tensor
    if (!sameShape(next.shape, shape)) {
      throw new RangeError(
        `${this.#name} has shape ${formatShape(shape)} but its new value has ${formatShape(next.shape)}`,
      )
    }
    if (next.dtype !== dtype || next.executor !== executor) {
      throw new TypeError(
        `${this.#name} is ${dtype} on ${executor.name} but its new value is ${next.dtype} on ${next.executor.name}`,
      )
    }
    checkLive(this.#name, next)
  }

  #hold(tensor: Tensor): void {
    tensor.retain()
    unreachable.register(this, tensor.releaser, this)
  }
}

function checkLive(name: string, tensor: Tensor): void {
  if (tensor.freed)
    throw new Error(`${name}: the new value ${formatShape(tensor.shape)} was freed when its scope ended`)
}
