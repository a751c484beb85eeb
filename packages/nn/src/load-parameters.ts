import type { SafetensorsFile } from '@mixtape/autodiff/safetensors'
import { type Module, valuesOf } from './parameter.ts'
import { checkStored, readStored } from './stored-tensors.ts'

/**
 * Gives a module the weights of a safetensors file, such as one of the PyTorch implementation: the file's names and
 * shapes must be the module's, its elements F64, F32, F16 or BF16, converted to the parameters' type.
 * @throws Error listing every missing, unexpected and different tensor. Whatever is thrown, the module is as before.
 */
export async function loadParameters(module: Module, file: SafetensorsFile): Promise<void> {
  const parameters = module.parameters()
  const expected = new Map(Object.entries(valuesOf(parameters)))
  checkStored('loadParameters', file, expected, { conversion: 'any' })
  for (const [name, value] of await readStored(file, expected)) parameters[name].value = value
}
