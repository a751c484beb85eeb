import type { Tensor } from './tensor.ts'
import { tensorsIn } from './tree.ts'

/** Tensors made since the scope began, innermost scope last. */
const scopes: Tensor[][] = []

/** Gives back the memory of tensors that no scope ever held, when nothing refers to them any more. */
const abandoned = new FinalizationRegistry<() => void>((release) => release())

/**
 * Runs `body` and frees every tensor made in it but those in its result, which go to the enclosing scope. Tensors may
 * sit anywhere in nested arrays, plain objects and maps of the result. A tape keeps what it needs for its backward pass.
 *
 * `body` is synchronous: a promise would outlive the scope. Read tensors after returning them.
 * @throws TypeError when `body` returns a promise; whatever `body` throws, after freeing its tensors.
 */
export function scope<R>(body: () => R): R {
  const made: Tensor[] = []
  scopes.push(made)
  let kept: ReadonlySet<Tensor> = new Set()
  try {
    const result = body()
    if (result instanceof Promise) throw new TypeError('scope: body returned a promise but must be synchronous')
    kept = new Set(tensorsIn(result))
    return result
  } finally {
    scopes.pop()
    for (const tensor of made) {
      if (kept.has(tensor)) hold(tensor)
      else tensor.release()
    }
  }
}

/** Internal: gives a new tensor to the current scope. */
export function holdInScope(tensor: Tensor): Tensor {
  tensor.retain()
  hold(tensor)
  return tensor
}

/** Internal: hands one existing hold on a tensor over to the current scope. */
export function adoptInScope(tensor: Tensor): void {
  hold(tensor)
}

/**
 * Frees tensors that are known to be needed no more, such as parameters that an optimiser has replaced. Only for
 * tensors made outside of any scope, or returned from the outermost one.
 */
export function free(tensors: Iterable<Tensor>): void {
  for (const tensor of tensors) {
    if (abandoned.unregister(tensor)) tensor.release()
  }
}

function hold(tensor: Tensor): void {
  const inner = scopes.at(-1)
  if (inner !== undefined) inner.push(tensor)
  else abandoned.register(tensor, tensor.releaser, tensor)
}
