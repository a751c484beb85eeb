import { rename, writeFile } from 'node:fs/promises'
import { arch, cpus, platform } from 'node:os'
import Table from 'cli-table3'
import type { Work } from './case.ts'
import type { CaseResult, GroupResult } from './measure.ts'

/** A group's results as a table for people. */
export function formatGroup({ name, baseline, cases }: GroupResult): string {
  const table = new Table({
    head: [name, 'ms', '± IQR', 'rate', `× ${baseline}`, 'MiB'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
    colWidths: [52, 12, 9, 20, 14, 10],
    style: { head: [], border: [], compact: true },
  })
  for (const one of cases) {
    table.push([
      one.name,
      one.milliseconds.toPrecision(4),
      `${(100 * one.spread).toFixed(0)} %`,
      formatRate(one),
      one.speedup.toPrecision(3),
      (one.bytes / 2 ** 20).toFixed(1),
    ])
  }
  return table.toString()
}

/** What was measured and on what, for programs. */
export interface BenchmarkReport {
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly platform: string
    readonly node: string
  }
  readonly groups: readonly GroupResult[]
}

export function makeReport(groups: readonly GroupResult[]): BenchmarkReport {
  const cores = cpus()
  const machine = {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    platform: `${platform()} ${arch()}`,
    node: process.version,
  }
  return { machine, groups }
}

/** Writes a report, whole or not at all. */
export async function writeReport(path: string, report: BenchmarkReport): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  await writeFile(temporary, `${JSON.stringify(report, null, 2)}\n`)
  await rename(temporary, path)
}

const rates: Readonly<Record<Work['unit'], readonly [scale: number, title: string]>> = {
  FLOP: [1e9, 'GFLOP/s'],
  B: [1e9, 'GB/s'],
  token: [1e3, 'k token/s'],
}

function formatRate({ work, milliseconds }: CaseResult): string {
  const [scale, title] = rates[work.unit]
  return `${(work.amount / (milliseconds / 1000) / scale).toPrecision(3)} ${title}`
}
