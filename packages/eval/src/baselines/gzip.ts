import { gzipSync } from 'node:zlib'

/**
 * gzip −9 as a predictor of `test`, in bits per byte: `afterTrain` = 8·(size(train + test) − size(train)) / |test|, and
 * `alone` = 8·size(test) / |test| (evaluation spec §7). gzip looks back 32 KiB only, so both are close.
 */
export function gzipBitsPerByte(
  train: Uint8Array,
  test: Uint8Array,
): { readonly afterTrain: number; readonly alone: number } {
  if (test.length === 0) throw new RangeError('gzipBitsPerByte: test is empty but must have at least one byte')
  const both = new Uint8Array(train.length + test.length)
  both.set(train)
  both.set(test, train.length)
  return {
    afterTrain: (8 * (gzipSize(both) - gzipSize(train))) / test.length,
    alone: (8 * gzipSize(test)) / test.length,
  }
}

function gzipSize(bytes: Uint8Array): number {
  return gzipSync(bytes, { level: 9 }).length
}
