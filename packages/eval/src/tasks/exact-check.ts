/** A number that a right implementation must give, and what this one gave. */
export interface Check {
  readonly id: string
  readonly got: number
  readonly want: number
  /** Largest |got − want| that passes. */
  readonly tolerance: number
  readonly pass: boolean
}

/** Compares; a `got` that is not a number fails. */
export function exactCheck(id: string, got: number, want: number, tolerance: number): Check {
  return { id, got, want, tolerance, pass: Math.abs(got - want) <= tolerance }
}
