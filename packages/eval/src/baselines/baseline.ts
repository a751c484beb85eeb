/** A number that needs no training of ours, in the metric of the task it belongs to. */
export interface Baseline {
  readonly id: string
  readonly value: number
}
