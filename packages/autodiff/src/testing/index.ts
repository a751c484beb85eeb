export { describeExecutor, type ExecutorCheck, executorChecks } from './conformance.ts'
export { type CheckGradientOptions, checkGradient } from './gradient.ts'
