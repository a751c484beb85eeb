import type { TaskName } from './run/benchmark.ts'

/** A task's score: `2.71` bits per byte, `97.3 %` accuracy. */
export function formatScore(task: TaskName, value: number): string {
  return task === 'text' ? value.toFixed(3) : `${(100 * value).toFixed(1)} %`
}

/** What a task's score is called. */
export function scoreName(task: TaskName): string {
  return task === 'text' ? 'bits per byte' : 'accuracy'
}

/** `17.0 KiB` */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  return bytes < 2 ** 20 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

/** `950`, `24.6 k`, `1.2 M` */
export function formatCount(count: number): string {
  if (count < 1000) return count.toFixed(0)
  return count < 1e6 ? `${(count / 1000).toFixed(1)} k` : `${(count / 1e6).toFixed(1)} M`
}

/** `42 s`, `3 min 20 s`, `5 h 10 min`, `12 d 3 h`, to the two largest units. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  const minutes = Math.round(whole / 60)
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`
}

/** `6.1e+11` as `6.1·10¹¹` */
export function formatFlop(flop: number): string {
  const [mantissa, exponent] = flop.toExponential(1).split('e')
  const digits = [...String(Number(exponent))].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)])
  return `${mantissa}·10${digits.join('')}`
}

/** Without control characters, which a terminal would obey and a page cannot hold. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '�')
}
