import fc from 'fast-check'
import type { Axes, MixerInput, Sizes } from '../mixer/mixer.ts'
import { type Generator, randomGenerator } from '../random.ts'
import { sizeOf } from '../shape.ts'
import type { HostTensor, HostTensors } from './mixer-host.ts'

/**
 * How gates are drawn. `mild`: decays as layers have them; `strong`: log gates from −40 to 0; `mixed`: each of 0, −1e−9,
 * −40, −745 or mild; `reset`: all −1e4. Inputs of kind `unit` likewise lie in the middle, or near 0 and 1.
 */
export type GateRegime = 'mild' | 'strong' | 'mixed' | 'reset'

/** Everything that one run of a check depends on. */
export interface MixerCase {
  readonly sizes: Sizes
  readonly chunkSize: number
  readonly otherChunkSize: number
  /** Where the sequence is cut, from 0 to its length. */
  readonly cut: number
  readonly regime: GateRegime
  /** Whether an initial state is given. */
  readonly state: boolean
  readonly seed: number
}

/** What the kit needs to know of a definition. */
export interface Layout {
  readonly inputs: Readonly<Record<string, MixerInput>>
  readonly output: Axes
  readonly state: Readonly<Record<string, Axes>>
  readonly scanned: string
  readonly derive?: (sizes: Sizes) => Sizes
}

/** Bounds of the cases drawn. */
export interface CaseBounds {
  /** Steps, at most 20 and at least 0 by default. */
  readonly steps?: { readonly min?: number; readonly max?: number }
  /** Batch rows, 1 to 2 by default. */
  readonly batch?: { readonly min: number; readonly max: number }
  /** Largest extent of other axes. Default 5. */
  readonly extent?: number
  readonly regimes?: readonly GateRegime[]
  /** Default: with and without. */
  readonly state?: boolean
}

/** Cases for a mixer; they shrink towards few steps, small extents and mild gates. */
export function mixerCases(layout: Layout, bounds: CaseBounds = {}): fc.Arbitrary<MixerCase> {
  const { batch = { min: 1, max: 2 }, extent = 5, regimes = ['mild', 'strong', 'mixed', 'reset'], state } = bounds
  const { min = 0, max = 20 } = bounds.steps ?? {}
  const few = fc.integer({ min, max: Math.max(min, Math.min(max, 3)) })
  const steps = fc.oneof({ withCrossShrink: true }, few, { arbitrary: fc.integer({ min, max }), weight: 2 })
  const axes = new Set(Object.values(layout.inputs).flatMap((input) => input.axes))
  const extents = [...axes].map((axis) => {
    if (axis === layout.scanned) return [axis, steps] as const
    return [axis, axis === 'B' ? fc.integer(batch) : fc.integer({ min: 1, max: extent })] as const
  })
  return fc
    .record({
      sizes: fc.record(Object.fromEntries(extents)),
      chunkSize: fc.integer({ min: 1, max: 9 }),
      otherChunkSize: fc.integer({ min: 1, max: 9 }),
      cut: fc.nat({ max: 20 }),
      regime: fc.constantFrom(...regimes),
      state: state === undefined ? fc.boolean() : fc.constant(state),
      seed: fc.nat({ max: 9999 }),
    })
    .map((drawn) => ({ ...drawn, cut: drawn.cut % (drawn.sizes[layout.scanned] + 1) }))
}

/** `B=1 T=3 H=1 K=2 V=1 C=2 cut=1 seed=7 regime=mild state=zeros` */
export function formatCase({ sizes, chunkSize, cut, seed, regime, state }: MixerCase): string {
  const extents = Object.entries(sizes).map(([axis, size]) => `${axis}=${size}`)
  const rest = `C=${chunkSize} cut=${cut} seed=${seed} regime=${regime} state=${state ? 'given' : 'zeros'}`
  return `${extents.join(' ')} ${rest}`
}

/** The inputs of a case, and its initial state if it has one. `variant` gives other values of the same kinds. */
export function drawCase(
  layout: Layout,
  { sizes, seed, regime, state }: MixerCase,
  variant = 0,
): { readonly inputs: HostTensors; readonly state: HostTensors | undefined } {
  const all = { ...sizes, ...layout.derive?.(sizes) }
  const draw = (name: string, axes: Axes, kind: MixerInput['values']) => {
    const generator = randomGenerator(`${seed}/${variant}/${name}`)
    return drawTensor(axes, all, () => drawValue(kind, regime, generator))
  }
  const inputs = Object.entries(layout.inputs).map(([name, { axes, values }]) => [name, draw(name, axes, values)])
  const states = Object.entries(layout.state).map(([name, axes]) => [name, draw(`state ${name}`, axes, 'real')])
  return { inputs: Object.fromEntries(inputs), state: state ? Object.fromEntries(states) : undefined }
}

function drawTensor(axes: Axes, sizes: Sizes, draw: () => number): HostTensor {
  const shape = axes.map((axis) => sizes[axis])
  return { axes, shape, values: new Float64Array(sizeOf(shape)).map(draw) }
}

function drawValue(kind: MixerInput['values'], regime: GateRegime, generator: Generator): number {
  if (kind === 'real') return generator.normal()
  if (kind === 'unit') return drawUnit(regime, generator)
  switch (regime) {
    case 'mild':
      return -generator.uniform()
    case 'strong':
      return -40 * generator.uniform()
    case 'mixed':
      return [0, -1e-9, -40, -745, -generator.uniform()][generator.integer(5)]
    case 'reset':
      return -1e4
  }
}

function drawUnit(regime: GateRegime, generator: Generator): number {
  const middle = 0.05 + 0.9 * generator.uniform()
  switch (regime) {
    case 'mild':
      return middle
    case 'strong':
      return 1 / (1 + Math.exp(8 * generator.normal()))
    case 'mixed':
      return [1e-6, 1 - 1e-6, middle][generator.integer(3)]
    case 'reset':
      return 1e-6
  }
}
