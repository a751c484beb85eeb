import type { Expression, ScalarFunction } from '../../expression.ts'
import { sizeOf } from '../../shape.ts'
import { erf } from './erf.ts'
import type { Kernel } from './kernels.ts'
import { forEachIndex } from './layout.ts'

/** Elementwise: the expression as nested closures, called once per element. */
export const map: Kernel<'map'> = (inputs, [out], { expression, shape, strides }) => {
  if (sizeOf(shape) === 0) return
  const offsets = new Array<number>(inputs.length).fill(0)
  const evaluate = compile(expression, (index) => () => inputs[index][offsets[index]])
  let position = 0
  forEachIndex(shape, strides, offsets, () => {
    out[position++] = evaluate()
  })
}

function compile(expression: Expression, read: (index: number) => () => number): () => number {
  switch (expression.kind) {
    case 'input':
      return read(expression.index)
    case 'constant': {
      const { value } = expression
      return () => value
    }
    case 'call': {
      const [a, b, c] = expression.args.map((arg) => compile(arg, read))
      const f = functions[expression.name]
      if (expression.name === 'select') return () => (a() !== 0 ? b() : c())
      if (b === undefined) return () => f(a(), 0)
      return () => f(a(), b())
    }
  }
}

const functions: Readonly<Record<ScalarFunction, (a: number, b: number) => number>> = {
  neg: (a) => -a,
  abs: Math.abs,
  sign: Math.sign,
  sqrt: Math.sqrt,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  tanh: Math.tanh,
  sigmoid: (a) => (a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a))),
  erf,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: (a, b) => a ** b,
  max: Math.max,
  min: Math.min,
  equal: (a, b) => Number(a === b),
  notEqual: (a, b) => Number(a !== b),
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
  select: () => Number.NaN,
}
