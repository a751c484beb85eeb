/**
 * How often every string of up to `depth` bytes occurs in a text, as a trie: node 0 is the empty string, and the edges
 * lie in one open-addressed hash table, keyed by parent node and byte. Memory: 34 to 68 bytes per distinct string.
 */
export class CountTrie {
  #nodes = 1
  #count = new Uint32Array(SMALLEST)
  #followed = new Uint32Array(SMALLEST)
  #distinct = new Uint16Array(SMALLEST)
  #edges = new EdgeTable(2 * SMALLEST)

  constructor(text: Uint8Array, depth: number) {
    for (let start = 0; start < text.length; start++) this.#add(text, start, Math.min(start + depth, text.length))
  }

  /** Occurrences of a node's string. */
  count(node: number): number {
    return this.#count[node]
  }

  /** Occurrences of a node's string that a byte follows (within the depth). */
  followed(node: number): number {
    return this.#followed[node]
  }

  /** Distinct bytes that follow a node's string. */
  distinct(node: number): number {
    return this.#distinct[node]
  }

  /** Node of the string text[from, to), or −1 when it never occurred. */
  find(text: Uint8Array, from: number, to: number): number {
    let node = 0
    for (let t = from; t < to && node >= 0; t++) node = this.child(node, text[t])
    return node
  }

  /** Node of a node's string with one more byte, or −1. */
  child(node: number, byte: number): number {
    return this.#edges.get(node, byte)
  }

  #add(text: Uint8Array, start: number, end: number): void {
    let node = 0
    for (let t = start; t < end; t++) {
      let child = this.#edges.get(node, text[t])
      if (child < 0) {
        if (this.#nodes === this.#count.length) this.#grow()
        child = this.#nodes++
        this.#edges.set(node, text[t], child)
        this.#distinct[node]++
      }
      this.#followed[node]++
      this.#count[child]++
      node = child
    }
  }

  #grow(): void {
    const size = 2 * this.#count.length
    const [count, followed, distinct] = [new Uint32Array(size), new Uint32Array(size), new Uint16Array(size)]
    count.set(this.#count)
    followed.set(this.#followed)
    distinct.set(this.#distinct)
    this.#count = count
    this.#followed = followed
    this.#distinct = distinct
    this.#edges = this.#edges.enlarged()
  }
}

const SMALLEST = 1024

/** A map from (parent node, byte) to child node. Holds at most half as many edges as it has places, a power of two. */
class EdgeTable {
  readonly #keys: Float64Array // parent · 256 + byte + 1; 0 is a free place
  readonly #children: Int32Array
  readonly #mask: number

  constructor(places: number) {
    this.#keys = new Float64Array(places)
    this.#children = new Int32Array(places)
    this.#mask = places - 1
  }

  /** The child, or −1. */
  get(parent: number, byte: number): number {
    const place = this.#place(parent, byte)
    return this.#keys[place] === 0 ? -1 : this.#children[place]
  }

  set(parent: number, byte: number, child: number): void {
    const place = this.#place(parent, byte)
    this.#keys[place] = parent * 256 + byte + 1
    this.#children[place] = child
  }

  /** The same edges with twice the places. */
  enlarged(): EdgeTable {
    const larger = new EdgeTable(2 * this.#keys.length)
    this.#keys.forEach((key, place) => {
      if (key !== 0) larger.set(Math.floor((key - 1) / 256), (key - 1) % 256, this.#children[place])
    })
    return larger
  }

  /** Where the edge is, or the free place where it belongs. */
  #place(parent: number, byte: number): number {
    const key = parent * 256 + byte + 1
    let h = Math.imul(parent, 0x9e3779b1) ^ Math.imul(byte + 1, 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
    let place = (h ^ (h >>> 13)) & this.#mask
    while (this.#keys[place] !== 0 && this.#keys[place] !== key) place = (place + 1) & this.#mask
    return place
  }
}
