import { Tensor } from './tensor.ts'

/** Tensors in nested arrays and plain objects: parameters, gradients, states. Leaves that are no tensors stay as they are. */
export type Tree = Tensor | readonly Tree[] | { readonly [key: string]: Tree }

/** Every tensor anywhere in nested arrays, plain objects and maps. */
export function tensorsIn(value: unknown): Tensor[] {
  const found: Tensor[] = []
  visit(value, found)
  return found
}

/** The same structure with every tensor replaced. `path` is like `layers.0.weight`. */
export function mapTree<T>(tree: T, replace: (tensor: Tensor, path: string) => Tensor): T {
  return mapAt(tree, '', replace) as T
}

function visit(value: unknown, found: Tensor[]): void {
  if (value instanceof Tensor) found.push(value)
  else if (Array.isArray(value)) for (const item of value) visit(item, found)
  else if (value instanceof Map) for (const item of value.values()) visit(item, found)
  else if (isPlainObject(value)) for (const item of Object.values(value)) visit(item, found)
}

function mapAt(value: unknown, path: string, replace: (tensor: Tensor, path: string) => Tensor): unknown {
  const at = (key: string | number) => (path === '' ? String(key) : `${path}.${key}`)
  if (value instanceof Tensor) return replace(value, path)
  if (Array.isArray(value)) return value.map((item, index) => mapAt(item, at(index), replace))
  if (isPlainObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapAt(item, at(key), replace)]))
  }
  return value
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
