import { call, constant, type Expression } from '../expression.ts'

const zero = constant(0)

/**
 * How an expression moves when its `index`-th input moves by `seed` and the others stand still: the derivative times
 * the seed. The seed goes in at the leaves, so that a branch not taken gives 0 whatever the seed is there.
 */
export function tangent(expression: Expression, index: number, seed: Expression): Expression {
  switch (expression.kind) {
    case 'constant':
      return zero
    case 'input':
      return expression.index === index ? seed : zero
    case 'call':
      return tangentOfCall(
        expression,
        expression.args.map((arg) => tangent(arg, index, seed)),
      )
  }
}

/** Whether an expression is the constant 0. */
export function isZero(expression: Expression): boolean {
  return expression.kind === 'constant' && expression.value === 0
}

function tangentOfCall(y: Expression & { kind: 'call' }, [da, db, dc]: readonly Expression[]): Expression {
  const [a, b] = y.args
  switch (y.name) {
    case 'neg':
      return negated(da)
    case 'abs':
      return times(call('sign', a), da)
    case 'sqrt':
      return times(call('div', 0.5, y), da)
    case 'exp':
      return times(y, da)
    case 'expm1':
      return times(call('exp', a), da)
    case 'log':
      return over(da, a)
    case 'log1p':
      return over(da, call('add', a, 1))
    case 'tanh':
      return times(call('sub', 1, call('mul', y, y)), da)
    case 'sigmoid':
      return times(call('mul', y, call('sigmoid', call('neg', a))), da)
    case 'erf':
      return times(call('mul', 2 / Math.sqrt(Math.PI), call('exp', call('neg', call('mul', a, a)))), da)
    case 'add':
      return plus(da, db)
    case 'sub':
      return plus(da, negated(db))
    case 'mul':
      return plus(times(b, da), times(a, db))
    case 'div':
      return plus(over(da, b), negated(over(times(y, db), b)))
    case 'pow':
      return plus(times(call('mul', b, call('pow', a, lowered(b))), da), times(call('mul', y, call('log', a)), db))
    case 'max':
      return chosen(call('less', b, a), da, chosen(call('equal', a, b), halved(plus(da, db)), db))
    case 'min':
      return chosen(call('less', a, b), da, chosen(call('equal', a, b), halved(plus(da, db)), db))
    case 'select':
      return chosen(a, db, dc)
    case 'sign':
    case 'equal':
    case 'notEqual':
    case 'less':
    case 'lessEqual':
      return zero
  }
}

function plus(a: Expression, b: Expression): Expression {
  if (isZero(a)) return b
  return isZero(b) ? a : call('add', a, b)
}

function times(factor: Expression, tangent: Expression): Expression {
  return isZero(tangent) || isZero(factor) ? zero : call('mul', factor, tangent)
}

function over(tangent: Expression, divisor: Expression): Expression {
  return isZero(tangent) ? zero : call('div', tangent, divisor)
}

function negated(tangent: Expression): Expression {
  return isZero(tangent) ? zero : call('neg', tangent)
}

function halved(tangent: Expression): Expression {
  return times(constant(0.5), tangent)
}

function lowered(exponent: Expression): Expression {
  return exponent.kind === 'constant' ? constant(exponent.value - 1) : call('sub', exponent, 1)
}

function chosen(condition: Expression, a: Expression, b: Expression): Expression {
  return isZero(a) && isZero(b) ? zero : call('select', condition, a, b)
}
