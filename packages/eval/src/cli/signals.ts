/** What to do about Ctrl-C and SIGTERM. */
export interface Interruption {
  /** At the first signal: save and end. */
  stop(): void
  /** At the second: end at once. */
  kill(): void
}

/** Signals while a command works, and what they make of its exit code. */
export interface SignalWatch {
  /** 130 after SIGINT, 143 after SIGTERM, `undefined` when there was none. */
  readonly exitCode: number | undefined
  close(): void
}

const codes = { SIGINT: 130, SIGTERM: 143 } as const

/** Handles the signals from now until `close`. */
export function watchSignals({ stop, kill }: Interruption): SignalWatch {
  let exitCode: number | undefined
  const onSignal = (signal: 'SIGINT' | 'SIGTERM') => {
    if (exitCode !== undefined) {
      kill()
      process.exit(codes[signal])
    }
    exitCode = codes[signal]
    stop()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    get exitCode() {
      return exitCode
    },
    close() {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}

/** How to go on with a command that was stopped: as it was given, but not from the beginning. */
export function goOn(command: string): string {
  return `To go on: ${command.replaceAll(' --fresh', '')}`
}
