/**
 * Scalar expressions: what one element of an elementwise kernel computes.
 *
 * Every elementwise op hands executors an expression instead of a name, so an executor needs one elementwise kernel,
 * generated from the expression, and a chain of ops can be merged into one expression and one pass over memory.
 */
export type Expression =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'call'; readonly name: ScalarFunction; readonly args: readonly Expression[] }

/**
 * The functions an executor must provide, with IEEE special values: NaN goes through everything but comparisons
 * and an untaken branch of `select`; `exp(-Infinity) = 0`, `log(0) = -Infinity`, `max` and `min` propagate NaN.
 * Comparisons give 1 or 0. `select(c, a, b)` is `a` where `c` is not 0, else `b`, and ignores the other branch.
 */
export type ScalarFunction =
  | 'neg'
  | 'abs'
  | 'sign'
  | 'sqrt'
  | 'exp'
  | 'expm1'
  | 'log'
  | 'log1p'
  | 'tanh'
  | 'sigmoid'
  | 'erf'
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'pow'
  | 'max'
  | 'min'
  | 'equal'
  | 'notEqual'
  | 'less'
  | 'lessEqual'
  | 'select'

/** The element of the kernel's `index`-th operand. */
export function input(index: number): Expression {
  return { kind: 'input', index }
}

/** The same number for every element. */
export function constant(value: number): Expression {
  return { kind: 'constant', value }
}

/** A scalar function of expressions; plain numbers stand for constants. */
export function call(name: ScalarFunction, ...args: readonly (Expression | number)[]): Expression {
  return { kind: 'call', name, args: args.map((arg) => (typeof arg === 'number' ? constant(arg) : arg)) }
}

/** A text that is equal for equal expressions: the key under which executors cache generated code. */
export function expressionKey(expression: Expression): string {
  switch (expression.kind) {
    case 'input':
      return `$${expression.index}`
    case 'constant':
      return Object.is(expression.value, -0) ? '-0' : String(expression.value)
    case 'call':
      return `${expression.name}(${expression.args.map(expressionKey).join(',')})`
  }
}
