import { type Fault, KINDS } from './fault.ts'

/** What came of one scenario. */
export interface Tally {
  readonly scenario: string
  /** File-system calls of its undisturbed run. */
  readonly calls: number
  /** How often it was disturbed. */
  readonly points: number
  /** The step of each of these points, `null` for calls of none. */
  readonly steps: readonly (string | null)[]
  readonly failures: readonly Failure[]
}

/** A point at which something was not as it has to be. */
export interface Failure {
  /** The call, and what was done to it. */
  readonly point: string
  /** Flags of `npm run faults` that run this point alone. */
  readonly flags: string
  readonly faults: readonly Fault[]
}

/** A Markdown table, a line a scenario, with totals. */
export function table(title: string, points: string, tallies: readonly Tally[]): string {
  const count = (tally: Tally, kind: string) =>
    tally.failures.flatMap(({ faults }) => faults).filter((fault) => fault.kind === kind).length
  const rows = tallies.map((tally) => [tally.calls, tally.points, ...KINDS.map((kind) => count(tally, kind))])
  const totals = rows.reduce(
    (sums, row) => sums.map((sum, column) => sum + (row[column] ?? 0)),
    [0, 0, ...KINDS.map(() => 0)],
  )
  const lines = [
    ['scenario', 'calls', points, ...KINDS],
    ['---', '--:', '--:', ...KINDS.map(() => '--:')],
    ...tallies.map(({ scenario }, index) => [scenario, ...(rows[index] ?? [])]),
    ['**all**', ...totals],
  ]
  return `${title}\n\n${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`
}

/** How many points each named step had, in the order in which the steps first ran. */
export function countSteps(tallies: readonly Tally[]): string {
  const counts = new Map<string, number>()
  for (const step of tallies.flatMap(({ steps }) => steps))
    if (step !== null) counts.set(step, (counts.get(step) ?? 0) + 1)
  const texts = [...counts].map(([step, count]) => `${step} ${count}`)
  return `Points by step: ${texts.join(', ') || 'none'}\n`
}

export function describeFailure(scenario: string, { point, flags, faults }: Failure): string {
  const texts = faults.map(({ kind, text }) => `    ${kind}: ${text}`)
  return [`${scenario}, ${point}:`, ...texts, `    again: npm run faults -- ${flags}`].join('\n')
}
