// The entry points for Node, types of the property-test kit included.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tensor, useExecutor } from '@mixtape/autodiff'
import { openSafetensorsFile, writeSafetensorsFile } from '@mixtape/autodiff/node'
import type { describeExecutor } from '@mixtape/autodiff/testing'
import { wasm } from '@mixtape/autodiff/wasm'
import * as evaluation from '@mixtape/eval'
import * as checkpoints from '@mixtape/nn/node'

export type Arguments = Parameters<typeof describeExecutor>

await useExecutor(wasm())
const folder = await mkdtemp(join(tmpdir(), 'mixtape-consumer-'))
try {
  const path = join(folder, 'x.safetensors')
  await writeSafetensorsFile(path, { x: tensor([1, 2, 3]) })
  await using file = await openSafetensorsFile(path)
  console.log(JSON.stringify({ names: Object.keys({ ...evaluation, ...checkpoints }), file: String(file) }))
} finally {
  await rm(folder, { recursive: true })
}
