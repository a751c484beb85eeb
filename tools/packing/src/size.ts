import Table from 'cli-table3'
import { budgets } from './budgets.ts'
import { bundle } from './bundle.ts'

/** Prints the size of every entry point, and of what users are likely to load together, with all it imports. */
const table = new Table({
  head: ['loaded', 'minified B', 'gzip B', 'budget B'],
  colAligns: ['left', 'right', 'right', 'right'],
  style: { head: [], border: [], compact: true },
})
for (const { name, code, gzipBytes } of budgets) {
  const { minified, gzip } = await bundle(code)
  table.push([name, minified, gzip, gzipBytes])
}
console.log(table.toString())
