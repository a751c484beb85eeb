/** An axis that several operands walk along, with the element stride of each. */
export interface Axis {
  readonly extent: number
  readonly strides: readonly number[]
}

/** An axis of one element. */
export function noAxis(operands: number): Axis {
  return { extent: 1, strides: new Array<number>(operands).fill(0) }
}

/** Drops axes of extent 1 and joins neighbours that every operand walks through without a jump. */
export function mergeAxes(shape: readonly number[], strides: readonly (readonly number[])[]): Axis[] {
  const merged: Axis[] = []
  shape.forEach((extent, axis) => {
    if (extent === 1) return
    const own = strides.map((operand) => operand[axis])
    const before = merged.at(-1)
    if (before?.strides.every((stride, index) => stride === own[index] * extent)) {
      merged[merged.length - 1] = { extent: before.extent * extent, strides: own }
    } else merged.push({ extent, strides: own })
  })
  return merged
}
