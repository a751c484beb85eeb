import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Comparison } from '../run/compare.ts'
import { environment } from '../run/environment.ts'
import { writeAtomically } from '../run/json.ts'
import { reportHtml } from './html.ts'

/** Writes `<out>/report.html`, whole or not at all, and gives its path. */
export async function writeReport(
  out: string,
  comparison: Comparison,
  { command }: { readonly command: string },
): Promise<string> {
  const path = join(out, 'report.html')
  await mkdir(out, { recursive: true })
  await writeAtomically(path, reportHtml(comparison, { command, made: new Date(), environment: environment() }))
  return path
}
