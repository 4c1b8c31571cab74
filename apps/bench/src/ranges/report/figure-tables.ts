import { formatRate, formatRatio, markdownTable } from '../../table.ts'
import type { Contender } from '../contenders.ts'
import type { Kind } from '../kinds.ts'
import type { Refusal } from '../probe.ts'
import {
  type Figure,
  figureOf,
  isBound,
  type Measurement,
  processorOf,
  rateOf,
  ratioOf,
  type Series,
} from './figures.ts'

export interface Shown {
  readonly measurements: readonly Measurement[]
  readonly refusals: readonly Refusal[]
  readonly contenders: readonly Contender[]
  readonly kinds: readonly Kind[]
  /** The server that the ratios refer to. */
  readonly yardstick: Contender
}

interface Column {
  readonly title: string
  readonly figure: Figure
  readonly format: (value: number) => string
  /** Before a figure that is only known to lie below or above. */
  readonly bound: '<' | '>'
}

const RATE: Column = { title: 'requests/s', figure: rateOf, format: formatRate, bound: '<' }
const PROCESSOR: Column = { title: 'CPU, µs', figure: processorOf, format: formatMicroseconds, bound: '>' }

/** Answers per second of everyone at everything, and in parentheses how that compares to the yardstick. */
export function rateTable(shown: Shown): string {
  return table(shown, RATE)
}

/** The server's processor time for an answer, likewise. */
export function processorTable(shown: Shown): string {
  return table(shown, PROCESSOR)
}

function table(shown: Shown, column: Column): string {
  const notes = footnotes(shown.refusals)
  const rows = shown.contenders.map((contender) => {
    const cells = shown.kinds.map((kind) => {
      const series = { contender, kind }
      return figureCell(shown, series, column) ?? `–${notes.markOf(series)}`
    })
    return [nameOf(contender), ...cells]
  })
  return markdownTable([column.title, ...shown.kinds.map(({ name }) => name)], rows)
}

/** Ours in bold. */
export function nameOf({ name, ours }: Contender): string {
  return ours ? `**${name}**` : name
}

function figureCell(shown: Shown, series: Series, { figure, format, bound }: Column): string | null {
  const spread = figureOf(shown.measurements, series, figure)
  if (spread === null) return null
  const sign = isBound(shown.measurements, series) ? `${bound} ` : ''
  return `${sign}${format(spread.median)}${toYardstick(shown, series, figure)}`
}

function toYardstick(shown: Shown, { contender, kind }: Series, figure: Figure): string {
  if (contender === shown.yardstick) return ''
  const bottom = { contender: shown.yardstick, kind }
  const ratio = ratioOf(shown.measurements, { contender, kind }, bottom, figure)
  return ratio === null ? '' : ` (${formatRatio(ratio.median)})`
}

/** Three digits: a 304 costs tens of microseconds, a file of 64 MiB tens of thousands. */
export function formatMicroseconds(seconds: number): string {
  return Number((seconds * 1e6).toPrecision(3)).toLocaleString('en')
}

interface Footnotes {
  readonly markOf: (series: Series) => string
  readonly text: string
}

/** Returns the notes under the tables: why a server is not measured. Equal reasons share a number. */
export function footnotes(refusals: readonly Refusal[]): Footnotes {
  const reasons = [...new Set(refusals.map(({ reason }) => reason))]
  return {
    markOf: ({ contender, kind }) => {
      const refusal = refusals.find((one) => one.contender === contender && one.kind === kind)
      return refusal === undefined ? '' : ` [${reasons.indexOf(refusal.reason) + 1}]`
    },
    text: reasons.map((reason, at) => `[${at + 1}] It answered ${reason}.`).join('\n'),
  }
}
