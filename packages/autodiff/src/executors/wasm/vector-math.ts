import type { ScalarFunction } from '../../expression.ts'
import type { FunctionBuilder, Vector } from './assembler.ts'

/**
 * The scalar functions of expressions on four float32 at once. Polynomials are those of Cephes (S. L. Moshier);
 * results below the smallest normal number are 0.
 */
export function callVector(f: FunctionBuilder, name: ScalarFunction, args: readonly Vector[]): Vector {
  const [a, b, c] = args
  switch (name) {
    case 'neg':
    case 'abs':
    case 'sqrt':
      return f.unary(name, a)
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'max':
    case 'min':
      return f.binary(name, a, b)
    case 'equal':
    case 'notEqual':
    case 'less':
    case 'lessEqual':
      return f.binary('and', f.binary(name, a, b), f.constant(1))
    case 'select':
      return f.select(f.binary('notEqual', a, f.constant(0)), b, c)
    case 'sign':
      return sign(f, a)
    case 'exp':
      return exp(f, a)
    case 'expm1':
      return expm1(f, a)
    case 'log':
      return log(f, a)
    case 'log1p':
      return log1p(f, a)
    case 'tanh':
      return tanh(f, a)
    case 'sigmoid':
      return f.binary('div', f.constant(1), f.binary('add', f.constant(1), exp(f, f.unary('neg', a))))
    case 'erf':
      return erf(f, a)
    case 'pow':
      return f.callPerLane(a, b)
  }
}

function sign(f: FunctionBuilder, x: Vector): Vector {
  const zero = f.constant(0)
  const negative = f.select(f.binary('less', x, zero), f.constant(-1), x)
  return f.select(f.binary('less', zero, x), f.constant(1), negative)
}

/** e^x = 2^n·e^r with n = round(x/ln 2); n reaches the exponent bits without a conversion through 1.5·2²³. */
export function exp(f: FunctionBuilder, x: Vector): Vector {
  const magic = f.constant(1.5 * 2 ** 23)
  // pmin and pmax keep their first operand when it is NaN
  const clamped = f.binary('pmax', f.binary('pmin', x, f.constant(88.72)), f.constant(-87.33))
  const shifted = f.multiplyAdd(clamped, f.constant(Math.LOG2E), magic)
  const n = f.binary('sub', shifted, magic)
  const high = f.multiplyAdd(n, f.constant(-0.693359375), clamped)
  const r = f.multiplyAdd(n, f.constant(2.1219444e-4), high)
  const tail = polynomial(
    f,
    r,
    [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1],
  )
  const mantissa = f.binary('add', f.multiplyAdd(f.binary('mul', r, r), tail, r), f.constant(1))
  const scaled = f.binary('addInt', mantissa, f.shift('shiftLeft', shifted, 23))
  const noUnderflow = f.select(f.binary('less', x, f.constant(-87.33)), f.constant(0), scaled)
  const result = f.select(f.binary('less', f.constant(88.7228), x), f.constant(Number.POSITIVE_INFINITY), noUnderflow)
  return f.select(f.binary('notEqual', x, x), x, result)
}

/** log x = e·ln 2 + log m with m in [√½, √2). */
function log(f: FunctionBuilder, x: Vector): Vector {
  const subnormal = f.binary('less', x, f.constant(2 ** -126))
  const normal = f.select(subnormal, f.binary('mul', x, f.constant(2 ** 23)), x)
  const exponent = f.binary('subInt', f.shift('shiftRight', normal, 23), f.bits(126))
  const lifted = f.binary('sub', f.unary('fromInt', exponent), f.binary('and', subnormal, f.constant(23)))
  const half = f.binary('or', f.binary('and', normal, f.bits(0x007fffff)), f.bits(0x3f000000)) // [½, 1)
  const small = f.binary('less', half, f.constant(Math.SQRT1_2))
  const e = f.binary('sub', lifted, f.binary('and', small, f.constant(1)))
  const m = f.binary('sub', f.binary('add', half, f.binary('and', small, half)), f.constant(1))
  const square = f.binary('mul', m, m)
  const series = polynomial(
    f,
    m,
    [
      7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
      2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    ],
  )
  const cubic = f.multiplyAdd(e, f.constant(-2.1219444e-4), f.binary('mul', f.binary('mul', m, square), series))
  const low = f.multiplyAdd(square, f.constant(-0.5), cubic)
  const finite = f.multiplyAdd(e, f.constant(0.693359375), f.binary('add', m, low))
  const infinity = f.constant(Number.POSITIVE_INFINITY)
  const atInfinity = f.select(f.binary('equal', x, infinity), infinity, finite)
  const atZero = f.select(f.binary('equal', x, f.constant(0)), f.constant(Number.NEGATIVE_INFINITY), atInfinity)
  const valid = f.binary('lessEqual', f.constant(0), x) // false for NaN too
  return f.select(valid, atZero, f.constant(Number.NaN))
}

/** log(1 + x) = log u + (x − (u − 1))/u with u = 1 + x rounded: the second term is what rounding lost. */
export function log1p(f: FunctionBuilder, x: Vector): Vector {
  const one = f.constant(1)
  const u = f.binary('add', one, x)
  const lost = f.binary('div', f.binary('sub', x, f.binary('sub', u, one)), u)
  const logarithm = log(f, u)
  const finite = f.binary(
    'and',
    f.binary('less', f.constant(0), u),
    f.binary('less', u, f.constant(Number.POSITIVE_INFINITY)),
  )
  return f.select(finite, f.binary('add', logarithm, lost), logarithm)
}

/** e^x − 1 = (u − 1)·x/log u with u = e^x rounded (W. Kahan); x where u is 1. */
function expm1(f: FunctionBuilder, x: Vector): Vector {
  const one = f.constant(1)
  const u = exp(f, x)
  const difference = f.binary('sub', u, one)
  const corrected = f.binary('div', f.binary('mul', difference, x), log(f, u))
  const far = f.binary('less', f.constant(8), f.unary('abs', x))
  const result = f.select(far, difference, corrected)
  return f.select(f.binary('equal', u, one), x, result)
}

/** tanh |x| = t/(t + 2) with t = e^(2|x|) − 1. */
function tanh(f: FunctionBuilder, x: Vector): Vector {
  const magnitude = f.binary('pmin', f.unary('abs', x), f.constant(15))
  const t = expm1(f, f.binary('add', magnitude, magnitude))
  const y = f.binary('div', t, f.binary('add', t, f.constant(2)))
  return f.select(f.binary('less', x, f.constant(0)), f.unary('neg', y), y)
}

/** A rational approximation in x on [−4, 4], beyond which erf is ±1 in float32 (the coefficients are those of Eigen). */
function erf(f: FunctionBuilder, x: Vector): Vector {
  const clamped = f.binary('pmax', f.binary('pmin', x, f.constant(4)), f.constant(-4))
  const square = f.binary('mul', clamped, clamped)
  const numerator = polynomial(
    f,
    square,
    [
      -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5, -7.34990630326855e-4,
      -2.954599808540254e-3, -1.60960333262415e-2,
    ],
  )
  const denominator = polynomial(
    f,
    square,
    [-1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2],
  )
  return f.binary('div', f.binary('mul', clamped, numerator), denominator)
}

/** Horner's rule, highest coefficient first. */
function polynomial(f: FunctionBuilder, x: Vector, [first, ...rest]: readonly number[]): Vector {
  return rest.reduce((sum, coefficient) => f.multiplyAdd(sum, x, f.constant(coefficient)), f.constant(first))
}
