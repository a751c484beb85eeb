import type { CoreKernels } from '../../executor.ts'
import type { FunctionBuilder, Integer, Vector } from './assembler.ts'
import type { BlockMemory } from './memory.ts'
import type { Modules } from './modules.ts'

const tileRows = 4
const tileColumns = 8

/**
 * Matrix products. b is copied, eight columns at a time, to a panel [k, 8]; a tile of 4 × 8 results stays in registers
 * while the panel is walked through once. a is read where it lies, transposed or not. Tiles that stick out over the
 * edges are computed in scratch memory.
 */
export function runMatmul(
  memory: BlockMemory,
  modules: Modules,
  params: CoreKernels['matmul'],
  a: number,
  b: number,
  c: number,
): void {
  const { batch, aStrides, bStrides, m, n, k } = params
  if (m === 0 || n === 0 || batch.includes(0)) return
  const panelBytes = k * tileColumns * 4
  const scratch = memory.allocate(panelBytes + 2 * tileRows * Math.max(tileColumns, k) * 4)
  const one = (aAddress: number, bAddress: number, cAddress: number) =>
    multiply(memory, modules, params, {
      a: aAddress,
      b: bAddress,
      c: cAddress,
      panel: scratch,
      edge: scratch + panelBytes,
    })
  let target = c
  const visit = (depth: number, aAddress: number, bAddress: number): void => {
    if (depth === batch.length) {
      one(aAddress, bAddress, target)
      target += m * n * 4
      return
    }
    for (let i = 0; i < batch[depth]; i++) {
      visit(depth + 1, aAddress + i * aStrides[depth] * 4, bAddress + i * bStrides[depth] * 4)
    }
  }
  try {
    visit(0, a, b)
  } finally {
    memory.release(scratch, panelBytes + 2 * tileRows * Math.max(tileColumns, k) * 4)
  }
}

interface Addresses {
  readonly a: number
  readonly b: number
  readonly c: number
  readonly panel: number
  readonly edge: number
}

function multiply(memory: BlockMemory, modules: Modules, params: CoreKernels['matmul'], at: Addresses): void {
  const { m, n, k, transposeA, transposeB } = params
  const panelKernel = modules.get('matmul panel', 8, writePanel)
  const pack = modules.get('matmul pack', 4, writePack)
  const packTransposed = modules.get('matmul pack transposed', 4, writePackTransposed)
  const rowBytes = transposeA ? 4 : k * 4
  const stepBytes = transposeA ? m * 4 : 4
  const wholeTiles = Math.floor(m / tileRows)
  const restRows = m % tileRows
  if (restRows > 0) copyRestRows(memory.floats, params, at)
  for (let j = 0; j < n; j += tileColumns) {
    const columns = Math.min(tileColumns, n - j)
    if (!transposeB) pack(at.b + j * 4, at.panel, k, n * 4)
    else if (columns === tileColumns) packTransposed(at.b + j * k * 4, at.panel, k, k * 4)
    else packEdge(memory.floats, at, j, columns, k)
    if (columns === tileColumns) panelKernel(at.a, at.panel, at.c + j * 4, wholeTiles, k, rowBytes, stepBytes, n * 4)
    else {
      for (let tile = 0; tile < wholeTiles; tile++) {
        panelKernel(at.a + tile * tileRows * rowBytes, at.panel, at.edge, 1, k, rowBytes, stepBytes, tileColumns * 4)
        copyTile(memory.floats, at, tile * tileRows, tileRows, j, columns, n)
      }
    }
    if (restRows > 0) {
      const rest = at.edge + tileRows * Math.max(tileColumns, k) * 4
      panelKernel(rest, at.panel, at.edge, 1, k, k * 4, 4, tileColumns * 4)
      copyTile(memory.floats, at, m - restRows, restRows, j, columns, n)
    }
  }
}

/** The last, incomplete rows of a, to where a whole tile of them can be read. */
function copyRestRows(floats: Float32Array, { m, k, transposeA }: CoreKernels['matmul'], at: Addresses): void {
  const rest = at.edge / 4 + tileRows * Math.max(tileColumns, k)
  const first = m - (m % tileRows)
  floats.fill(0, rest, rest + tileRows * k)
  for (let i = first; i < m; i++) {
    for (let p = 0; p < k; p++)
      floats[rest + (i - first) * k + p] = floats[at.a / 4 + (transposeA ? p * m + i : i * k + p)]
  }
}

function packEdge(floats: Float32Array, at: Addresses, j: number, columns: number, k: number): void {
  for (let p = 0; p < k; p++) {
    for (let column = 0; column < columns; column++) {
      floats[at.panel / 4 + p * tileColumns + column] = floats[at.b / 4 + (j + column) * k + p]
    }
  }
}

function copyTile(
  floats: Float32Array,
  at: Addresses,
  row: number,
  rows: number,
  j: number,
  columns: number,
  n: number,
): void {
  for (let i = 0; i < rows; i++) {
    const from = at.edge / 4 + i * tileColumns
    floats.copyWithin(at.c / 4 + (row + i) * n + j, from, from + columns)
  }
}

/** run(a, panel, c, tiles, k, aRowBytes, aStepBytes, cRowBytes): rows of c, four at a time, of one panel's columns. */
function writePanel(f: FunctionBuilder): void {
  const [a, panel, c, tiles, k, aRowBytes, aStepBytes, cRowBytes] = f.parameters
  f.repeat(tiles, () => {
    const rows = addresses(f, a, aRowBytes, tileRows)
    const from = f.copy(panel)
    const sums = rows.map(() => [f.variable(f.constant(0)), f.variable(f.constant(0))])
    f.repeat(k, () => {
      const left = f.load(from)
      const right = f.load(from, 16)
      rows.forEach((row, i) => {
        const factor = f.loadSplat(row)
        f.assign(sums[i][0], f.multiplyAdd(factor, left, sums[i][0]))
        f.assign(sums[i][1], f.multiplyAdd(factor, right, sums[i][1]))
        f.increment(row, aStepBytes)
      })
      f.increment(from, 32)
    })
    addresses(f, c, cRowBytes, tileRows).forEach((row, i) => {
      f.store(row, sums[i][0])
      f.store(row, sums[i][1], 16)
    })
    for (let i = 0; i < tileRows; i++) {
      f.increment(a, aRowBytes)
      f.increment(c, cRowBytes)
    }
  })
}

/** run(b, panel, k, rowBytes): eight neighbouring columns of a row-major matrix. */
function writePack(f: FunctionBuilder): void {
  const [b, panel, k, rowBytes] = f.parameters
  f.repeat(k, () => {
    f.store(panel, f.load(b))
    f.store(panel, f.load(b, 16), 16)
    f.increment(b, rowBytes)
    f.increment(panel, 32)
  })
}

/** run(b, panel, k, rowBytes): eight neighbouring rows, as columns. */
function writePackTransposed(f: FunctionBuilder): void {
  const [b, panel, k, rowBytes] = f.parameters
  const rows = addresses(f, b, rowBytes, tileColumns)
  f.repeat(k, () => {
    for (const half of [0, 1]) {
      let column: Vector = f.loadSplat(rows[half * 4])
      for (let lane = 1; lane < 4; lane++) column = f.loadLane(column, rows[half * 4 + lane], lane)
      f.store(panel, column, half * 16)
    }
    for (const row of rows) f.increment(row, 4)
    f.increment(panel, 32)
  })
}

/** `count` addresses, `stride` bytes apart. */
function addresses(f: FunctionBuilder, first: Integer, stride: Integer, count: number): Integer[] {
  const list = [f.copy(first)]
  while (list.length < count) list.push(f.sum(list[list.length - 1], stride))
  return list
}
