/** A learning rate for each step, counted from 0. */
export type Schedule = (step: number) => number

export interface WarmupCosineOptions {
  /** Highest learning rate. */
  readonly peak: number
  /** Steps of the whole run. */
  readonly steps: number
  /** Share of the steps over which the rate rises linearly, in [0, 1]. Default 0.1. */
  readonly warmup?: number
}

/**
 * `peak·min(1, (s + 1)/(warmup·S))·½(1 + cos(πs/S))`: linear warm-up under a cosine that ends at 0.
 * @throws RangeError when peak is negative, steps is not a non-negative integer or warmup is not in [0, 1].
 */
export function warmupCosine({ peak, steps, warmup = 0.1 }: WarmupCosineOptions): Schedule {
  check('peak', peak, peak >= 0, '0 or more')
  check('steps', steps, Number.isInteger(steps) && steps >= 0, 'a non-negative integer')
  check('warmup', warmup, warmup >= 0 && warmup <= 1, 'in [0, 1]')
  return (step) => {
    const rise = warmup > 0 ? Math.min(1, (step + 1) / (warmup * steps)) : 1
    return peak * rise * 0.5 * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps))
  }
}

/** The same rate at every step. */
export function constantRate(rate: number): Schedule {
  return () => rate
}

function check(name: string, value: number, holds: boolean, must: string): void {
  if (!holds) throw new RangeError(`warmupCosine: ${name} is ${value} but must be ${must}`)
}
