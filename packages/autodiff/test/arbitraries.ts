import { randomGenerator, type Shape, type Tensor, tensor } from '@mixtape/autodiff'
import fc from 'fast-check'

/** Shapes of rank 0 to 3 with extents 0 to 3. */
export const shapes: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 })

/** Shapes of rank 1 to 3. */
export const axisShapes: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 0, max: 3 }), {
  minLength: 1,
  maxLength: 3,
})

/** Two shapes that broadcast. */
export const broadcastPairs: fc.Arbitrary<[number[], number[]]> = shapes.chain((shape) =>
  fc
    .record({
      drop: fc.nat({ max: shape.length }),
      ones: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      swap: fc.boolean(),
    })
    .map(({ drop, ones, swap }): [number[], number[]] => {
      const other = shape.slice(drop).map((extent, axis) => (ones[axis] ? 1 : extent))
      return swap ? [other, shape] : [shape, other]
    }),
)

/** Distinct values away from each other, so that kinks and ties are not hit: in [low, high). */
export function spread(shape: Shape, seed: number | string, low: number = -2, high: number = 2): Tensor {
  const generator = randomGenerator(seed)
  const size = shape.reduce((product, extent) => product * extent, 1)
  const values = Float64Array.from({ length: size }, () => low + (high - low) * generator.uniform())
  return tensor(values, { shape })
}

export const seeds: fc.Arbitrary<number> = fc.nat({ max: 1000 })
