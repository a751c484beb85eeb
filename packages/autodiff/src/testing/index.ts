export { type CheckGradientOptions, checkGradient } from './gradient.ts'
