export type { Baseline } from './baselines/baseline.ts'
export { gzipBitsPerByte } from './baselines/gzip.ts'
export { mqarBaselines } from './baselines/mqar.ts'
export { textBaselines } from './baselines/text.ts'
export { type WittenBell, wittenBell } from './baselines/witten-bell.ts'
export { loadMobyDick, type TextCorpus } from './data/moby-dick.ts'
export { type ExecutorName, executors } from './executors.ts'
export { type MixerEntry, type MixerSizes, mixers } from './mixers.ts'
export type { ReportMeta } from './report/context.ts'
export { reportHtml } from './report/html.ts'
export { type Benchmark, type BudgetName, benchmark, budgetNames, type TaskName, taskNames } from './run/benchmark.ts'
export {
  type CompareOptions,
  type Comparing,
  type Comparison,
  type ComparisonSpec,
  compare,
  type RunRecord,
  type TaskRecord,
} from './run/compare.ts'
export type { RunConfig, RunSpec } from './run/config.ts'
export { DirectoryError, type LogRecord } from './run/directory.ts'
export { type Environment, environment } from './run/environment.ts'
export { type Estimate, estimateRun } from './run/estimate.ts'
export type { CountAt, MqarResult, TestResult, TextResult } from './run/evaluate.ts'
export type { Throughput } from './run/measure.ts'
export type { ModelConfig, ModelSizes } from './run/model.ts'
export type { RunResult } from './run/result.ts'
export { loadRun, type Progress, type RunOutcome, type TrainRunOptions, trainRun } from './run/train-run.ts'
export { type BootstrapOptions, type DifferenceInterval, pairedBootstrap } from './statistics/bootstrap.ts'
export type { Interval } from './statistics/interval.ts'
export { median, quantile } from './statistics/quantile.ts'
export { type MeanInterval, meanInterval } from './statistics/student.ts'
export { wilsonInterval } from './statistics/wilson.ts'
export { type AccuracyCounts, type Count, countCorrect } from './tasks/accuracy.ts'
export { bitsPerByte } from './tasks/bits-per-byte.ts'
export {
  type ByteLanguageModelConfig,
  type ByteLanguageModelTask,
  byteLanguageModel,
} from './tasks/byte-language-model.ts'
export type { Check } from './tasks/exact-check.ts'
export { type MqarConfig, mqar } from './tasks/mqar.ts'
export { mqarChecks } from './tasks/mqar-checks.ts'
export { byteLanguageModelPresets, mqarPresets } from './tasks/presets.ts'
export { type Batch, IGNORED, type Level, type MetricName, type Preset, type Split, type Task } from './tasks/task.ts'
