import { randomGenerator, type Tensor, tensor } from '@mixtape/autodiff'
import { gla } from '@mixtape/mixer-gla'
import { attention, type LayerFactory, languageModel, train } from '@mixtape/nn'
import type { BenchmarkGroup, SuiteOptions } from '../case.ts'
import { onEveryExecutor } from './executors.ts'

/** One step of training a byte language model of two layers: forward, backward, clipping and AdamW. */
export function trainingGroups({ quick }: SuiteOptions): readonly BenchmarkGroup[] {
  const sizes = quick ? { width: 16, batch: 1, time: 16 } : { width: 64, batch: 4, time: 128 }
  const layers: Readonly<Record<string, LayerFactory>> = { attention: attention(), gla: gla() }
  return Object.entries(layers).map(([name, layer]) => trainingStep(name, layer, sizes))
}

interface Sizes {
  readonly width: number
  readonly batch: number
  readonly time: number
}

const vocabulary = 256

function trainingStep(name: string, layer: LayerFactory, { width, batch, time }: Sizes): BenchmarkGroup {
  const title = `training step, ${name}, B=${batch} T=${time} D=${width}`
  return onEveryExecutor(title, { unit: 'token', amount: batch * time }, () => {
    const model = languageModel({ vocabulary, width, layers: [layer, layer] })
    const generator = randomGenerator(0)
    const tokens = (): Tensor => {
      const ids = Int32Array.from({ length: batch * time }, () => generator.integer(vocabulary))
      return tensor(ids, { shape: [batch, time] })
    }
    const steps = train(model, () => ({ ids: tokens(), targets: tokens() }), { steps: 1_000_000 })
    return async () => {
      await steps.next()
    }
  })
}
