import type { ByteLanguageModelConfig } from './byte-language-model.ts'
import type { MqarConfig } from './mqar.ts'
import type { Preset } from './task.ts'

/**
 * MQAR at the sizes of evaluation spec §2. `paper` follows Zoology's Figure 2: 100 000 training and 3 000 test sequences,
 * 64 epochs, and widths 64, 128, 256 and 512 to be compared, of which the smallest is given here.
 */
export const mqarPresets: readonly Preset<MqarConfig>[] = [
  {
    id: 'mqar-smoke',
    level: 'smoke',
    task: { vocabulary: 32, length: 16, pairs: 2, batchSize: 16, evaluationSequences: 256 },
    model: { width: 16, layers: 1, heads: 1 },
    training: { steps: 30, learningRates: [5e-3], weightDecay: 0.1 },
  },
  {
    id: 'mqar-a',
    level: 'small',
    task: { vocabulary: 64, length: 32, pairs: 4, batchSize: 32 },
    model: { width: 32, layers: 2, heads: 1 },
    training: { steps: 300, learningRates: [5e-3], weightDecay: 0.1 },
  },
  {
    id: 'mqar-b',
    level: 'small',
    task: { vocabulary: 128, length: 64, pairs: 8, batchSize: 32 },
    model: { width: 32, layers: 2, heads: 1 },
    training: { steps: 400, learningRates: [5e-3], weightDecay: 0.1 },
  },
  {
    id: 'mqar-forgetting',
    level: 'small',
    task: { vocabulary: 64, length: 32, pairs: 4, updates: 2, batchSize: 32 },
    model: { width: 32, layers: 2, heads: 1 },
    training: { steps: 400, learningRates: [5e-3], weightDecay: 0.1 },
  },
  paperMqar(64, 4, 512),
  paperMqar(128, 8, 512),
  paperMqar(256, 16, 256),
  paperMqar(512, 64, 128),
]

/**
 * Byte language modelling at the sizes of evaluation spec §7. At `paper` only width and depth come from the literature
 * (the enwik8 tables of the RWKV paper); window, batch and steps are ours.
 */
export const byteLanguageModelPresets: readonly Preset<ByteLanguageModelConfig>[] = [
  {
    id: 'bytes-smoke',
    level: 'smoke',
    task: { length: 32, batchSize: 8 },
    model: { width: 32, layers: 1, heads: 2 },
    training: { steps: 30, learningRates: [5e-3], weightDecay: 0.01 },
  },
  {
    id: 'bytes-small',
    level: 'small',
    task: { length: 128, batchSize: 16 },
    model: { width: 64, layers: 2, heads: 2 },
    training: { steps: 400, learningRates: [5e-3], weightDecay: 0.01 },
  },
  {
    id: 'bytes-paper',
    level: 'paper',
    task: { length: 1024, batchSize: 16 },
    model: { width: 512, layers: 12, heads: 8 },
    training: { steps: 100_000, learningRates: [1e-4, 3e-4, 1e-3], weightDecay: 0.01 },
  },
]

function paperMqar(length: number, pairs: number, batchSize: number): Preset<MqarConfig> {
  const trainingBatches = Math.floor(100_000 / batchSize)
  return {
    id: `mqar-paper-t${length}`,
    level: 'paper',
    task: { vocabulary: 8192, length, pairs, batchSize, evaluationSequences: 3000, trainingBatches },
    model: { width: 64, layers: 2, heads: 1 },
    training: {
      steps: 64 * trainingBatches,
      learningRates: [0, 1, 2, 3].map((i) => 10 ** (-4 + (2 * i) / 3)),
      weightDecay: 0.1,
    },
  }
}
