import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import type { ExecutorName } from '../executors.ts'
import type { TaskName } from '../run/benchmark.ts'
import { DirectoryError, runPath } from '../run/directory.ts'
import { ownVersion } from '../run/environment.ts'
import { samplePrompt } from '../run/train-run.ts'
import { compareCommand } from './compare-command.ts'
import {
  freshOption,
  jobsOption,
  mixerOption,
  mixersOption,
  naturalNumber,
  positiveInteger,
  probability,
  type RunOptions,
  runOptions,
  taskOption,
  tasksOption,
  temperature,
} from './options.ts'
import { evaluateCommand, generateCommand } from './run-commands.ts'
import { type Streams, UsageError } from './streams.ts'
import { trainCommand } from './train-command.ts'

/** What `mixtape start` compares. */
const start = {
  mixers: ['gla', 'attention'],
  tasks: ['text', 'mqar'],
  seeds: 1,
  out: 'runs/start',
} as const

/**
 * The command line `mixtape`. Gives the exit code: 0 done, 1 a run failed, 2 the command cannot be carried out as given,
 * 130 and 143 stopped by SIGINT and SIGTERM.
 *
 * @param args arguments after the program's name
 */
export async function main(args: readonly string[], streams: Streams = process): Promise<number> {
  let exitCode = 0
  const program = buildProgram(streams, ['mixtape', ...args.map(quoted)].join(' '), (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const refused = error instanceof UsageError || error instanceof DirectoryError
    streams.stderr.write(`mixtape: ${messageOf(error, refused)}\n`)
    return refused ? 2 : 1
  }
}

function buildProgram(streams: Streams, command: string, end: (exitCode: number) => void): Command {
  const program = new Command('mixtape')
    .description('Trains sequence mixers under equal conditions and compares them.')
    .version(ownVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void streams.stderr.write(text),
    })
    .showHelpAfterError('(give --help for the options)')

  const train = program
    .command('train')
    .description('Train and test one model. The same command again goes on where it was stopped.')
    .addOption(taskOption())
    .addOption(mixerOption())
  addRunOptions(train)
    .option('--seed <n>', 'fixes initial weights and data', naturalNumber, 1)
    .option('--out <dir>', 'folder of the run (default: "runs/train/<task>/<mixer>/seed-<n>")')
    .action(async (options: TrainFlags) => {
      const { task, mixer, seed, fresh, force, checkpointEvery } = options
      const spec = { task, mixer, seed, ...specOf(options) }
      const directory = options.out ?? runPath(join('runs', 'train'), spec)
      end(await trainCommand({ spec, directory, fresh, force, checkpointEvery, command }, streams))
    })

  program
    .command('eval')
    .description("Test a run's model as its last checkpoint holds it.")
    .argument('<run dir>', 'folder of a run')
    .action(async (directory: string) => end(await evaluateCommand(directory, streams)))

  const compare = program
    .command('compare')
    .description(
      'Train every mixer on every task with every seed, in parallel, and report. Goes on where it was stopped.',
    )
    .addOption(mixersOption(start.mixers))
    .addOption(tasksOption(start.tasks))
  addRunOptions(compare)
    .option('--seeds <n>', 'runs per task and mixer, with seeds 1 to n', positiveInteger, 3)
    .option('--out <dir>', 'folder of the comparison', 'runs/compare')
    .addOption(jobsOption())
    .action(async (options: CompareFlags) => {
      const { mixers, tasks, seeds, out, jobs, fresh, force, checkpointEvery } = options
      const spec = { mixers, tasks, seeds, ...specOf(options) }
      end(await compareCommand({ spec, out, jobs, fresh, force, checkpointEvery, command }, streams))
    })

  program
    .command('start')
    .description(`Compare ${start.mixers.join(' and ')} on ${start.tasks.join(' and ')} in about a minute and a half.`)
    .addOption(freshOption())
    .addOption(jobsOption())
    .action(async ({ jobs, fresh }: Pick<CompareFlags, 'jobs' | 'fresh'>) => {
      const { out, ...grid } = start
      const spec = { ...grid, budget: 'start' } as const
      end(await compareCommand({ spec, out, jobs, fresh, force: false, command }, streams))
    })

  program
    .command('generate')
    .description("Continue a text with a run's model.")
    .argument('<run dir>', 'folder of a run of the task text')
    .option('--prompt <text>', 'text to continue', samplePrompt)
    .option('--tokens <n>', 'bytes to generate', positiveInteger, 400)
    .option('--temperature <x>', 'divides the logits; 0 takes the most likely byte', temperature, 0.8)
    .option('--top-k <n>', 'only the n most likely bytes (default: all)', positiveInteger)
    .option('--top-p <p>', 'only the fewest most likely bytes with this probability together', probability, 1)
    .option('--seed <n>', 'fixes what is drawn', naturalNumber, 1)
    .action(async (directory: string, options: GenerateFlags) => {
      if (options.prompt === '') throw new UsageError('--prompt is empty but must have at least one character')
      end(await generateCommand(directory, options, streams))
    })
  return program
}

interface TrainFlags extends RunOptions {
  readonly task: TaskName
  readonly mixer: string
  readonly seed: number
  readonly out?: string
}

interface CompareFlags extends RunOptions {
  readonly mixers: readonly string[]
  readonly tasks: readonly TaskName[]
  readonly seeds: number
  readonly out: string
  readonly jobs: number
}

interface GenerateFlags {
  readonly prompt: string
  readonly tokens: number
  readonly temperature: number
  readonly topK?: number
  readonly topP: number
  readonly seed: number
}

function addRunOptions(command: Command): Command {
  for (const option of runOptions()) command.addOption(option)
  return command
}

function specOf({ budget, executor, steps, learningRate }: RunOptions): {
  readonly budget: RunOptions['budget']
  readonly executor: ExecutorName
  readonly steps?: number
  readonly learningRate?: number
} {
  return { budget, executor, steps, learningRate }
}

/** As a shell takes it. */
function quoted(argument: string): string {
  return /^[\w./,=:@%+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`
}

function messageOf(error: unknown, known: boolean): string {
  if (!(error instanceof Error)) return String(error)
  return known ? error.message : (error.stack ?? error.message)
}
