import {
  add,
  concat,
  exp,
  expandAxis,
  matmul,
  mul,
  type Named,
  pad,
  reshape,
  slice,
  split,
  squeeze,
  stack,
  sum,
  type Tensor,
  transpose,
} from '@mixtape/autodiff'
import type { GlaInput } from './recurrent.ts'

/**
 * Gated linear attention in chunks of C steps: q, k, g [B, T, H, K], v [B, T, H, V], S [B, H, K, V] →
 * o [B, T, H, V] and S after the last step.
 *
 * Decays are products of exp(g), never differences of logarithms, so a decay of 0 is exact and nothing overflows. Inside
 * a chunk the products are built by doubling: blocks of s steps are joined in pairs, where the later block reads the
 * earlier one by one matrix product, until one block is the whole chunk.
 */
export function glaChunked(
  { q, k, v, g }: Named<GlaInput>,
  S: Tensor,
  scale: number,
  chunkSize: number,
): { o: Tensor; S: Tensor } {
  const time = q.shape[1]
  const length = Math.min(chunkSize, time)
  const rows = 2 ** Math.ceil(Math.log2(length))
  const cut = (x: Tensor) => inChunks(x, length, rows) // [B, H, N, C, ·]; padding has q = k = v = 0 and g = 0
  const values = cut(v)
  const chunk = withinChunk(cut(mul(q, scale)), cut(k), values, exp(cut(g)))
  const written = matmul(chunk.keys, values, { transposeA: true }) // [B, H, N, K, V]
  const { before, after } = acrossChunks(S, chunk.decay, written)
  const o = add(chunk.output, matmul(chunk.queries, before)) // [B, H, N, C, V]
  return { o: fromChunks(o, length, time), S: after }
}

/** What a chunk is to the others, once it has been dealt with inside. */
interface Chunk {
  /** What the chunk's own keys contribute to its queries, [B, H, N, C, V]. */
  readonly output: Tensor
  /** Queries times the decay since the chunk began, Q ⊙ F [B, H, N, C, K]. */
  readonly queries: Tensor
  /** Keys times the decay until the chunk ends, K ⊙ R [B, H, N, C, K]. */
  readonly keys: Tensor
  /** Decay over the whole chunk, D [B, H, N, 1, K]. */
  readonly decay: Tensor
}

function withinChunk(q: Tensor, k: Tensor, v: Tensor, alpha: Tensor): Chunk {
  const lead = q.shape.slice(0, 3)
  const [rows, keyDim] = q.shape.slice(3)
  const valueDim = v.shape[4]
  let output = mul(sum(mul(q, k), { axes: -1, keepAxes: true }), v) // a step reads its own write undecayed
  let queries = mul(q, alpha)
  let keys = k
  let decay = alpha // of each block
  for (let s = 1; s < rows; s *= 2) {
    const pairs = rows / (2 * s)
    const inPairs = (x: Tensor, width: number) => reshape(x, [...lead, pairs, 2, x.shape[3] / (2 * pairs), width])
    const [firstQueries, secondQueries] = halves(inPairs(queries, keyDim)) // [B, H, N, pairs, s, K] each
    const [firstKeys, secondKeys] = halves(inPairs(keys, keyDim))
    const [firstValues] = halves(inPairs(v, valueDim))
    const read = attend(secondQueries, firstKeys, firstValues) // [B, H, N, pairs, s, V]
    const shifted = pad(expandAxis(read, 4), { axis: 4, before: 1 }) // the first block reads nothing here
    output = add(output, reshape(shifted, output.shape))
    const [first, second] = halves(inPairs(decay, keyDim)) // [B, H, N, pairs, 1, K] each
    queries = reshape(stack([firstQueries, mul(secondQueries, first)], { axis: 4 }), queries.shape)
    keys = reshape(stack([mul(firstKeys, second), secondKeys], { axis: 4 }), keys.shape)
    decay = reshape(mul(first, second), [...lead, pairs, keyDim])
  }
  return { output, queries, keys, decay }
}

/** (Q Kᵀ) V of blocks [..., s, ·]; blocks too small for a matrix product are multiplied element by element. */
function attend(q: Tensor, k: Tensor, v: Tensor): Tensor {
  if (q.shape[4] >= 4) return matmul(matmul(q, k, { transposeB: true }), v)
  const scores = sum(mul(expandAxis(q, -2), expandAxis(k, -3)), { axes: -1, keepAxes: true }) // [..., s, s, 1]
  return sum(mul(scores, expandAxis(v, -3)), { axes: -2 })
}

/** States before each chunk [B, H, N, K, V], and after the last: S ← diag(D) S + (K ⊙ R)ᵀ V. */
function acrossChunks(S: Tensor, decay: Tensor, written: Tensor): { before: Tensor; after: Tensor } {
  const decays = split(transpose(decay, [0, 1, 2, 4, 3]), { axis: 2, sizes: 1 }) // [B, H, 1, K, 1] each
  const writes = split(written, { axis: 2, sizes: 1 })
  const states = [expandAxis(S, 2)]
  decays.forEach((factor, n) => {
    states.push(add(mul(factor, states[n]), writes[n]))
  })
  return { before: concat(states.slice(0, -1), { axis: 2 }), after: squeeze(states[states.length - 1], 2) }
}

/** [B, T, H, ·] → [B, H, N, rows, ·]: chunks of `length` steps, each filled up with zeros to a power of two. */
function inChunks(x: Tensor, length: number, rows: number): Tensor {
  const [batch, time, heads, width] = x.shape
  const count = Math.ceil(time / length)
  const filled = pad(transpose(x, [0, 2, 1, 3]), { axis: 2, after: count * length - time })
  return pad(reshape(filled, [batch, heads, count, length, width]), { axis: 3, after: rows - length })
}

function fromChunks(x: Tensor, length: number, time: number): Tensor {
  const [batch, heads, count, , width] = x.shape
  const steps = reshape(slice(x, { axis: 3, end: length }), [batch, heads, count * length, width])
  return transpose(slice(steps, { axis: 2, end: time }), [0, 2, 1, 3])
}

/** The two blocks of each pair: [..., 2, s, ·] → two of [..., s, ·]. */
function halves(x: Tensor): readonly [Tensor, Tensor] {
  const [first, second] = split(x, { axis: 4, sizes: 1 })
  return [squeeze(first, 4), squeeze(second, 4)]
}
