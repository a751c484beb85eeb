import { CountTrie } from './count-trie.ts'

/** Interpolated n-gram models on bytes, of every order up to a greatest one. */
export interface WittenBell {
  readonly order: number
  /** Mean −log₂ p of the bytes of a text, for the models of order 0, 1, …, `order`. The first byte has no history. */
  bitsPerByte(text: Uint8Array): readonly number[]
}

/**
 * Counts a text for Witten–Bell smoothing: p_k = (c + t·p_{k−1}) / (N + t), where the context of k bytes was seen N times
 * with t distinct successors, c of them the byte asked for, and p_{−1} = 1/256 (evaluation spec §7). A context never seen
 * leaves p_{k−1} as it is.
 *
 * @throws RangeError when the order is no integer of at least 0
 */
export function wittenBell(text: Uint8Array, order: number): WittenBell {
  if (!Number.isInteger(order) || order < 0) {
    throw new RangeError(`wittenBell: order is ${order} but must be an integer of at least 0`)
  }
  const trie = new CountTrie(text, order + 1)
  return {
    order,
    bitsPerByte(asked) {
      if (asked.length === 0) throw new RangeError('bitsPerByte: the text is empty but must have at least one byte')
      const bits = new Float64Array(order + 1)
      for (let t = 0; t < asked.length; t++) {
        let p = 1 / 256
        for (let k = 0; k <= order; k++) {
          if (k <= t) p = interpolate(trie, trie.find(asked, t - k, t), asked[t], p)
          bits[k] -= Math.log2(p)
        }
      }
      return Array.from(bits, (sum) => sum / asked.length)
    },
  }
}

function interpolate(trie: CountTrie, context: number, byte: number, lower: number): number {
  if (context < 0 || trie.followed(context) === 0) return lower
  const child = trie.child(context, byte)
  const seen = child < 0 ? 0 : trie.count(child)
  const distinct = trie.distinct(context)
  return (seen + distinct * lower) / (trie.followed(context) + distinct)
}
