/**
 * How often every string of up to `depth` bytes occurs in a text, as a trie: node 0 is the empty string, and the edges
 * lie in one open-addressed hash table, keyed by parent node and byte.
 */
export class CountTrie {
  /** Occurrences of each node's string. */
  readonly count: Uint32Array
  /** Occurrences of each node's string that a byte follows (within the depth). */
  readonly followed: Uint32Array
  /** Distinct bytes that follow each node's string. */
  readonly distinct: Uint16Array
  #nodes = 1
  readonly #mask: number
  readonly #keys: Float64Array // parent · 256 + byte + 1; 0 is a free place
  readonly #children: Int32Array

  constructor(text: Uint8Array, depth: number) {
    const most = text.length * depth + 1
    this.count = new Uint32Array(most)
    this.followed = new Uint32Array(most)
    this.distinct = new Uint16Array(most)
    const places = 2 ** Math.ceil(Math.log2(2 * most))
    this.#mask = places - 1
    this.#keys = new Float64Array(places)
    this.#children = new Int32Array(places)
    for (let start = 0; start < text.length; start++) this.#add(text, start, Math.min(start + depth, text.length))
  }

  /** Node of the string text[from, to), or −1 when it never occurred. */
  find(text: Uint8Array, from: number, to: number): number {
    let node = 0
    for (let t = from; t < to && node >= 0; t++) node = this.child(node, text[t])
    return node
  }

  /** Node of a node's string with one more byte, or −1. */
  child(node: number, byte: number): number {
    const place = this.#place(node, byte)
    return this.#keys[place] === 0 ? -1 : this.#children[place]
  }

  #add(text: Uint8Array, start: number, end: number): void {
    let node = 0
    for (let t = start; t < end; t++) {
      const place = this.#place(node, text[t])
      if (this.#keys[place] === 0) {
        this.#keys[place] = node * 256 + text[t] + 1
        this.#children[place] = this.#nodes++
        this.distinct[node]++
      }
      this.followed[node]++
      node = this.#children[place]
      this.count[node]++
    }
  }

  #place(node: number, byte: number): number {
    const key = node * 256 + byte + 1
    let place = (Math.imul(node ^ (byte << 23), 0x9e3779b1) ^ (byte * 0x85eb)) >>> 7
    for (place &= this.#mask; this.#keys[place] !== 0 && this.#keys[place] !== key; ) place = (place + 1) & this.#mask
    return place
  }
}
