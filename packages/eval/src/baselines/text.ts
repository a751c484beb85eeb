import type { TextCorpus } from '../data/moby-dick.ts'
import type { Baseline } from './baseline.ts'
import { gzipBitsPerByte } from './gzip.ts'
import { wittenBell } from './witten-bell.ts'

/** Bits per byte on the test split: Witten–Bell n-grams of order 0 to `order`, and gzip −9 after reading the training text. */
export function textBaselines(corpus: TextCorpus, order: number): readonly Baseline[] {
  const nGrams = wittenBell(corpus.train, order).bitsPerByte(corpus.test)
  return [
    ...nGrams.map((value, k) => ({ id: `Witten–Bell order ${k}`, value })),
    { id: 'gzip -9', value: gzipBitsPerByte(corpus.train, corpus.test).afterTrain },
  ]
}
