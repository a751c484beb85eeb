import { type Executor, useExecutor } from '@mixtape/autodiff'
import type { BenchmarkCase, BenchmarkGroup, Run, Work } from './case.ts'
import { median, quantile } from './statistics.ts'

export interface MeasureOptions {
  /** Rounds over the cases of a group; each gives one sample per case. */
  readonly rounds: number
  /** A sample repeats the run until it takes about this long, in milliseconds. */
  readonly sampleMilliseconds: number
}

/** What was measured of one case. */
export interface CaseResult {
  readonly name: string
  readonly work: Work
  /** Milliseconds per run: median over the rounds. */
  readonly milliseconds: number
  /** Interquartile range over median. */
  readonly spread: number
  /** How many times as fast as the baseline: median over the rounds, each compared within itself. */
  readonly speedup: number
  /** Memory that the executor holds in the end, in use and in reserve: what the runs needed at their highest. */
  readonly bytes: number
}

export interface GroupResult {
  readonly name: string
  readonly baseline: string
  readonly cases: readonly CaseResult[]
}

/**
 * Measures the cases of a group in turns, so that what disturbs the machine disturbs all of them, in alternating order.
 * @throws Error when the baseline is no case of the group; whatever a case throws, with its name.
 */
export async function measureGroup(group: BenchmarkGroup, options: MeasureOptions): Promise<GroupResult> {
  const baseline = group.cases.findIndex(({ name }) => name === group.baseline)
  if (baseline < 0) throw new Error(`${group.name}: the baseline ${group.baseline} is no case of the group`)
  const prepared: Prepared[] = []
  try {
    for (const one of group.cases) prepared.push(await prepare(one, options))
    for (let round = 0; round < options.rounds; round++) {
      for (const one of round % 2 === 0 ? prepared : prepared.toReversed()) one.samples.push(await sample(one))
    }
    const cases = prepared.map((one) => summarise(one, prepared[baseline].samples))
    return { name: group.name, baseline: group.baseline, cases }
  } finally {
    for (const { executor } of prepared) executor.close()
  }
}

interface Prepared {
  readonly subject: BenchmarkCase
  readonly executor: Executor
  readonly run: Run
  readonly repetitions: number
  /** Milliseconds per run. */
  readonly samples: number[]
}

async function prepare(subject: BenchmarkCase, { sampleMilliseconds }: MeasureOptions): Promise<Prepared> {
  const executor = await useExecutor(subject.executor())
  const run = subject.setup()
  const once = { subject, executor, run, repetitions: 1, samples: [] }
  await sample(once) // compiles
  const repetitions = Math.max(1, Math.round(sampleMilliseconds / (await sample(once))))
  return { ...once, repetitions }
}

async function sample({ executor, run, repetitions }: Prepared): Promise<number> {
  await useExecutor(executor)
  const start = performance.now()
  for (let i = 0; i < repetitions; i++) {
    const running = run()
    if (running !== undefined) await running
  }
  await executor.flush()
  return (performance.now() - start) / repetitions
}

function summarise({ subject, executor, samples }: Prepared, baseline: readonly number[]): CaseResult {
  const milliseconds = median(samples)
  const { liveBytes, pooledBytes } = executor.memory()
  return {
    name: subject.name,
    work: subject.work,
    milliseconds,
    spread: (quantile(samples, 0.75) - quantile(samples, 0.25)) / milliseconds,
    speedup: median(samples.map((own, round) => baseline[round] / own)),
    bytes: liveBytes + pooledBytes,
  }
}
