import { checkCount } from './check.ts'

/**
 * Bits per byte from the summed cross entropy of all bytes asked: sums, not means of batches, because the last batch may
 * ask fewer.
 *
 * @param nats summed cross entropy, in nats
 * @param bytes number of bytes asked
 * @throws RangeError when `bytes` is no positive integer
 */
export function bitsPerByte(nats: number, bytes: number): number {
  checkCount('bitsPerByte', 'bytes', bytes, 1)
  return nats / (bytes * Math.LN2)
}
