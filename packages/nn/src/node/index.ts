import { openSafetensorsFile, writeSafetensorsFile } from '@mixtape/autodiff/node'
import type { SafetensorsFile } from '@mixtape/autodiff/safetensors'
import {
  type Checkpoint,
  type CheckpointParts,
  checkpointTensors,
  type RestoredCheckpoint,
  restoreCheckpoint,
} from '../checkpoint.ts'
import { loadParameters } from '../load-parameters.ts'
import { type Module, valuesOf } from '../parameter.ts'

/**
 * Writes a checkpoint to one safetensors file, whole or not at all: a file that was at `path` stays until the new one
 * is complete. Await it before the next step.
 * @throws what `checkpointTensors` throws; the file system's errors.
 */
export async function saveCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { tensors, metadata } = checkpointTensors(checkpoint)
  await writeSafetensorsFile(path, tensors, { metadata })
}

/**
 * Restores a checkpoint that {@link saveCheckpoint} wrote. Gives the steps done, which `train` takes as `from`.
 * @throws Error naming the path and what does not fit; model, optimiser and generators are then as before.
 */
export function loadCheckpoint(path: string, parts: CheckpointParts): Promise<RestoredCheckpoint> {
  return reading(path, (file) => restoreCheckpoint(file, parts))
}

/**
 * Writes a module's weights under their upstream names, whole or not at all, as PyTorch libraries read them.
 * `metadata` goes along with `format: 'pt'`.
 */
export async function saveParameters(
  path: string,
  module: Module,
  options: { readonly metadata?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  await writeSafetensorsFile(path, valuesOf(module.parameters()), { metadata: { format: 'pt', ...options.metadata } })
}

/**
 * {@link loadParameters} from a file on disk.
 * @throws Error naming the path and what does not fit; the module is then as before.
 */
export function loadParametersFrom(path: string, module: Module): Promise<void> {
  return reading(path, (file) => loadParameters(module, file))
}

async function reading<R>(path: string, use: (file: SafetensorsFile) => Promise<R>): Promise<R> {
  const file = await openSafetensorsFile(path)
  try {
    return await use(file)
  } catch (cause) {
    throw new Error(`${path}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  } finally {
    await file.close()
  }
}
