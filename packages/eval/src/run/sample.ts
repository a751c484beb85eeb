import { randomGenerator } from '@mixtape/autodiff'
import { generate, type LanguageModel, type SamplingOptions } from '@mixtape/nn'
import { breathe } from './breathe.ts'

export interface TextOptions extends SamplingOptions {
  readonly prompt: string
  /** Bytes to generate. */
  readonly tokens: number
  readonly seed: number
  readonly signal?: AbortSignal
}

/**
 * Continues a text byte by byte, as pieces of valid UTF-8: a character comes when its last byte does, bytes that make no
 * character come as U+FFFD. The prompt itself is not repeated.
 */
export async function* continueText(
  model: LanguageModel,
  { prompt, tokens, seed, signal, ...sampling }: TextOptions,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder()
  const ids = [...new TextEncoder().encode(prompt)]
  const generator = randomGenerator(`sample/${seed}`)
  for await (const id of generate(model, { prompt: ids, tokens, generator, ...sampling })) {
    yield decoder.decode(Uint8Array.of(id), { stream: true })
    await breathe(signal)
  }
  yield decoder.decode()
}
