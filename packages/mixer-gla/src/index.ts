export { type GlaMixerOptions, glaMixer } from './mixer.ts'
export type { GlaInput, GlaState } from './recurrent.ts'
