import { formatRate } from '../../table.ts'
import { CONTENDERS, type Contender } from '../contenders.ts'
import { type Kind, LARGE, MIDDLE, SMALL } from '../kinds.ts'
import { type Bar, type Row, renderChart } from './chart.ts'
import { figureOf, isBound, type Measurement, rateOf } from './figures.ts'

const PANELS: readonly Kind[] = [SMALL, MIDDLE, LARGE]

/** Returns the README's chart: ranges per second of each server. */
export function rangesChart(measurements: readonly Measurement[], rounds: number): string {
  const contenders = CONTENDERS.filter(
    (one) => !one.answersByte && measurements.some(({ contender }) => contender === one),
  )
  return renderChart({
    title: 'Random ranges of a 1 GiB file, requests per second',
    subtitle: `one processor for the server, one for the client; medians of ${rounds} interleaved rounds`,
    rows: contenders.map((contender) => rowOf(contender, measurements)),
    panels: PANELS.map(({ name }) => name),
  })
}

function rowOf(contender: Contender, measurements: readonly Measurement[]): Row {
  const bars = PANELS.map((kind): Bar | null => {
    const rate = figureOf(measurements, { contender, kind }, rateOf)?.median
    if (rate === undefined) return null
    const sign = isBound(measurements, { contender, kind }) ? '< ' : ''
    return { value: rate, text: `${sign}${formatRate(rate)}` }
  })
  return { name: contender.name, highlighted: contender.ours, bars }
}
