export { describeExecutor, type ExecutorCheck, executorChecks } from './conformance.ts'
export { type CheckGradientOptions, checkGradient } from './gradient.ts'
export {
  type ExecutorSetup,
  type MixerCheck,
  type MixerCheckOptions,
  mixerChecks,
} from './mixer-checks.ts'
export { type DescribeMixerOptions, describeMixer, executorSetups } from './mixer-describe.ts'
