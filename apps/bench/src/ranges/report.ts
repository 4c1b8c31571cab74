import { describeHost, formatRate, formatRatio, markdownTable, median } from '../table.ts'
import { CONNECTIONS } from './client.ts'
import { CONTENDERS, type Contender, OURS } from './contenders.ts'
import { type Measurement, type Pace, SIZES, type Size } from './rounds.ts'

const CAUTION =
  'Only ratios within one run mean something: requests/s are those of this host, its load and this client.'

/** The medians as a Markdown table, with what a reader has to know about the run. */
export function report(measurements: readonly Measurement[], pace: Pace): string {
  const head = ['server', ...SIZES.flatMap(({ name }) => [`${name}, requests/s`, 'to ours'])]
  const rows = CONTENDERS.map((contender) => [contender.name, ...cells(measurements, contender, pace)])
  return `${markdownTable(head, rows)}\n\n${host(pace)}\n${CAUTION}\n`
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

function host({ rounds, cellMilliseconds }: Pace): string {
  const run = `median of ${rounds} rounds of ${cellMilliseconds / 1000} s, ${CONNECTIONS} connections`
  return `${describeHost()}; ${run}.`
}
