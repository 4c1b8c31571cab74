import { cpus, release, totalmem } from 'node:os'

/** A Markdown table: names to the left, figures to the right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'))
  return [head, rule, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

/** The middle one, the upper of two. `NaN` for no values at all. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

export function formatRate(rate: number): string {
  return rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en')
}

/** Two digits, which is more than two runs agree on. */
export function formatRatio(ratio: number): string {
  return ratio >= 100
    ? Number(ratio.toPrecision(2)).toLocaleString('en')
    : String(Number(ratio.toPrecision(2)))
}

export function describeHost(): string {
  const { length, 0: processor } = cpus()
  return `Node ${process.version}, ${process.platform} ${process.arch}, ${length} × ${processor?.model.trim()}`
}

/** The machine with its memory and kernel, for figures that are kept. */
export function describeMachine(): string {
  return `${describeHost()}, ${Math.round(totalmem() / 2 ** 30)} GiB of memory, kernel ${release()}`
}
