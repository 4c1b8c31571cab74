import { cpus } from 'node:os'
import { CONNECTIONS } from './client.ts'
import { CONTENDERS, type Contender, OURS } from './contenders.ts'
import { type Measurement, type Pace, SIZES, type Size } from './rounds.ts'

const CAUTION =
  'Only ratios within one run mean something: requests/s are those of this host, its load and this client.'

/** The medians as a Markdown table, with what a reader has to know about the run. */
export function report(measurements: readonly Measurement[], pace: Pace): string {
  const head = ['server', ...SIZES.flatMap(({ name }) => [`${name}, requests/s`, 'to ours'])]
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'))
  const rows = CONTENDERS.map((contender) => [contender.name, ...cells(measurements, contender, pace)])
  const table = [head, rule, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
  return `${table}\n\n${host(pace)}\n${CAUTION}\n`
}

function cells(measurements: readonly Measurement[], contender: Contender, pace: Pace): string[] {
  return SIZES.flatMap((size) => {
    const rate = medianRate(measurements, contender, size)
    const ours = medianRate(measurements, OURS, size)
    if (rate > 0) return [formatRate(rate), formatRatio(rate / ours)]
    // None within a cell is no rate of 0: all that a cell can show is that it is less than one per cell.
    const bound = 1000 / pace.cellMilliseconds
    return [`< ${formatRate(bound)}`, `< ${formatRatio(bound / ours)}`]
  })
}

function medianRate(measurements: readonly Measurement[], contender: Contender, size: Size): number {
  const rates = measurements
    .filter((one) => one.contender === contender && one.size === size)
    .map(({ rate }) => rate)
  return median(rates)
}

/** The middle one: the number of rounds is odd. `NaN` for no values at all. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function formatRate(rate: number): string {
  return rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en')
}

/** Two digits, which is more than two runs agree on. */
function formatRatio(ratio: number): string {
  return String(Number(ratio.toPrecision(2)))
}

function host({ rounds, cellMilliseconds }: Pace): string {
  const { length, 0: processor } = cpus()
  const machine = `${process.platform} ${process.arch}, ${length} × ${processor?.model.trim()}`
  const run = `median of ${rounds} rounds of ${cellMilliseconds / 1000} s, ${CONNECTIONS} connections`
  return `Node ${process.version}, ${machine}; ${run}.`
}
