import { basename } from 'node:path'
import { verify } from './verify.ts'

/** `npm run golden -- FILE…`: one line per form, executor and dtype; exit code 1 on any miss, 2 without files. */
const files = process.argv.slice(2)
if (files.length === 0) {
  console.error('usage: npm run golden -- FILE…   (golden vectors, .safetensors)')
  process.exit(2)
}

const unknown: string[] = []
let missed = 0
for (const path of files) {
  try {
    const result = await verify(path)
    if ('unknown' in result) {
      unknown.push(`${basename(path)}: unknown op id ${result.unknown}`)
      continue
    }
    for (const { form, executor, dtype, outputs, gradients, pass, failure } of result.verdicts) {
      if (!pass) missed++
      const figures = [outputs, gradients].map(
        ({ absolute, relative, tolerance }) =>
          `${exponential(absolute)} abs ${exponential(relative)} rel (≤ ${tolerance})`,
      )
      const where = `${basename(path, '.safetensors').padEnd(26)} ${executor.padEnd(9)} ${dtype} ${form.padEnd(14)}`
      const what = failure ?? `outputs ${figures[0]}  gradients ${figures[1]}`
      console.log(`${pass ? 'ok  ' : 'MISS'} ${where} ${what}`)
    }
  } catch (error) {
    missed++
    console.log(`MISS ${basename(path)} ${error instanceof Error ? error.message : String(error)}`)
  }
}
for (const line of unknown) console.log(line)
if (missed > 0) console.log(`${missed} missed their tolerance`)
process.exitCode = missed > 0 || unknown.length > 0 ? 1 : 0

function exponential(value: number): string {
  return value.toExponential(1).padStart(7)
}
