/** A learning rate for each step, counted from 0. */
export type Schedule = (step: number) => number

export interface WarmupCosineOptions {
  /** Highest learning rate. */
  readonly peak: number
  /** Steps of the whole run. */
  readonly steps: number
  /** Share of the steps over which the rate rises linearly. Default 0.1. */
  readonly warmup?: number
}

/** `peak·min(1, (s + 1)/(warmup·S))·½(1 + cos(πs/S))`: linear warm-up under a cosine that ends at 0. */
export function warmupCosine({ peak, steps, warmup = 0.1 }: WarmupCosineOptions): Schedule {
  return (step) => {
    const rise = warmup > 0 ? Math.min(1, (step + 1) / (warmup * steps)) : 1
    return peak * rise * 0.5 * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps))
  }
}

/** The same rate at every step. */
export function constantRate(rate: number): Schedule {
  return () => rate
}
