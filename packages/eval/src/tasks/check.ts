/** Throws a RangeError that names the argument when `value` is not a whole number of at least `least`. */
export function checkCount(owner: string, name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new RangeError(`${owner}: ${name} is ${value} but must be an integer of at least ${least}`)
  }
}
