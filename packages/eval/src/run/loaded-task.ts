import { loadMobyDick, type TextCorpus } from '../data/moby-dick.ts'
import { type ByteLanguageModelTask, byteLanguageModel } from '../tasks/byte-language-model.ts'
import { type MqarConfig, mqar } from '../tasks/mqar.ts'
import type { Task } from '../tasks/task.ts'
import type { Benchmark } from './benchmark.ts'

/** A task with its data in memory. */
export type LoadedTask =
  | { readonly name: 'text'; readonly task: ByteLanguageModelTask; readonly corpus: TextCorpus }
  | { readonly name: 'mqar'; readonly task: Task; readonly config: MqarConfig }

/** @throws Error when the task's data package is not installed. */
export async function loadTask(chosen: Benchmark): Promise<LoadedTask> {
  if (chosen.task === 'mqar') return { name: 'mqar', task: mqar(chosen.config), config: chosen.config }
  const corpus = await loadMobyDick()
  return { name: 'text', task: byteLanguageModel(corpus, chosen.config), corpus }
}

/** Name and version of the package the data comes from, or that it is generated. */
export function dataSource(loaded: LoadedTask): string {
  return loaded.name === 'text' ? `${loaded.corpus.source} ${loaded.corpus.version}` : 'generated'
}
