import { parseArgs } from 'node:util'
import { suite } from './cases/index.ts'
import { type GroupResult, measureGroup } from './measure.ts'
import { formatGroup, makeReport, writeReport } from './report.ts'

const help = `npm run bench -- [--quick] [--only TEXT] [--json FILE]

  --quick      small sizes and few samples: shows that everything works, measures nothing
  --only TEXT  only groups whose name contains TEXT
  --json FILE  also write the results to FILE`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(help)
} else {
  await measure()
}

async function measure(): Promise<void> {
  const options = values.quick ? { rounds: 2, sampleMilliseconds: 1 } : { rounds: 15, sampleMilliseconds: 50 }
  const groups = suite(values).filter(({ name }) => name.includes(values.only))
  if (groups.length === 0) throw new Error(`--only is ${values.only} but no group's name contains it`)
  const results: GroupResult[] = []
  for (const group of groups) {
    const result = await measureGroup(group, options)
    results.push(result)
    console.log(formatGroup(result))
  }
  if (values.json !== undefined) await writeReport(values.json, makeReport(results))
}
