// Every browser-facing entry point, as a page's program would use it. Type-checked, run and bundled against the packed packages.
import { type Tensor, tensor, useExecutor } from '@mixtape/autodiff'
import { encodeSafetensors } from '@mixtape/autodiff/safetensors'
import { wasm } from '@mixtape/autodiff/wasm'
import { gla } from '@mixtape/mixer-gla'
import { attention, languageModel, train } from '@mixtape/nn'

await useExecutor(wasm())
const model = languageModel({ vocabulary: 16, width: 32, layers: [attention(), gla()] })
const ids = Array.from({ length: 2 }, (_, row) => Array.from({ length: 8 }, (_, t) => (3 * t + row) % 16))
const integers = (values: number[][]): Tensor => tensor(values, { dtype: 'int32' })
const batch = () => ({ ids: integers(ids), targets: integers(ids.map((row) => [...row.slice(1), -100])) })

const losses: number[] = []
for await (const { loss } of train(model, batch, { steps: 12 })) losses.push(loss)

let bytes = 0
const weights = Object.entries(model.parameters()).map(([name, { value }]) => [name, value] as const)
for await (const piece of encodeSafetensors(Object.fromEntries(weights))) bytes += piece.byteLength

console.log(JSON.stringify({ losses, bytes }))
