export { type OpenSafetensorsFile, openSafetensorsFile } from './read.ts'
export { writeSafetensorsFile } from './write.ts'
