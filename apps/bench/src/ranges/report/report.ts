import { describeMachine, formatRate, formatRatio, markdownTable } from '../../table.ts'
import { CONTENDERS, type Contender, NGINX, PLAIN, SERVER } from '../contenders.ts'
import type { Crowd } from '../crowd.ts'
import { MEBIBYTE } from '../files/media.ts'
import { FAR, KINDS, type Kind, NEAR } from '../kinds.ts'
import type { Refusal } from '../probe.ts'
import { footnotes, formatMicroseconds, nameOf, processorTable, rateTable } from './figure-tables.ts'
import type { Measurement } from './figures.ts'
import { judge, verdictTable } from './targets.ts'

/** All that one run has shown. */
export interface Run {
  readonly measurements: readonly Measurement[]
  readonly refusals: readonly Refusal[]
  readonly crowds: readonly Crowd[]
  readonly rounds: number
  readonly seconds: number
  /** How busy the processors were between the rounds, when the bench itself did nothing; from 0 to 1. */
  readonly loads: readonly number[]
  /** The day of the run, ISO 8601. */
  readonly date: string
  /** What a shorter run leaves out, empty for nothing. */
  readonly omitted: string
}

/** With more than this in use by others, ratios are not to be trusted either. */
const BUSY = 0.1

const EXPLANATION = `CPU is the processor time that the server uses for one response, with all its threads, from /proc. The figure in parentheses is
the ratio to the first line of the table, as the median of the ratios of all rounds. Servers run on one processor and clients on
another. Each round measures all servers one after another, in rotated order. Before each measurement, responses are compared with
the file byte by byte, and afterwards the totals of wrk have to fit.

A client in Node measures HEAD, ranges that are not in the page cache, and servers that take seconds for a response. It may limit
the requests/s of the fastest servers, but not their CPU time. Bare Koa and bare node:http answer one byte to every request.
koa-range-server is the program itself, with its log in a file.`

const CAUTION = 'Compare only ratios within one run. All other figures depend on this machine and its load.'

/** The medians as Markdown, with what a reader has to know about the run. */
export function report(run: Run): string {
  const { measurements, refusals, crowds } = run
  const sections = [
    circumstances(run),
    '## Targets',
    verdictTable(judge(measurements, crowds)),
    '## Requests per second, and CPU time',
    ...bothTables(
      run,
      CONTENDERS,
      KINDS.filter((kind) => !SPARSE_KINDS.includes(kind)),
      SERVER,
    ),
    footnotes(refusals).text,
    '## Far into a sparse file',
    ...bothTables(run, [PLAIN, NGINX], SPARSE_KINDS, PLAIN),
    '## Slow readers',
    crowdTable(crowds),
    '## How it was measured',
    EXPLANATION,
    CAUTION,
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

const SPARSE_KINDS: readonly Kind[] = [NEAR, FAR]

function bothTables(
  { measurements, refusals }: Run,
  allContenders: readonly Contender[],
  allKinds: readonly Kind[],
  yardstick: Contender,
): readonly string[] {
  const contenders = allContenders.filter((one) => measurements.some(({ contender }) => contender === one))
  const kinds = allKinds.filter((one) => measurements.some(({ kind }) => kind === one))
  const shown = { measurements, refusals, contenders, kinds, yardstick }
  return [rateTable(shown), processorTable(shown)]
}

function crowdTable(crowds: readonly Crowd[]): string {
  const head = [
    'readers of 64 KiB/s each',
    'memory, MiB',
    'bytes',
    'a second late',
    'a fast one alone',
    'its CPU, µs',
    'beside them',
    'kept',
  ]
  const rows = crowds.map(({ contender, readers, memory, report, alone, beside, processor }) => [
    `${nameOf(contender)}, ${formatRate(readers)} readers`,
    formatRate(memory / MEBIBYTE),
    report.fault ?? `all of ${formatRate(report.received / MEBIBYTE)} MiB right`,
    `${(report.late * 100).toFixed(1)} %`,
    formatRate(alone),
    formatMicroseconds(processor),
    formatRate(beside),
    formatRatio(beside / alone),
  ])
  return markdownTable(head, rows)
}

function circumstances({ rounds, seconds, loads, omitted, date }: Run): string {
  const load = Math.max(...loads)
  const percent = Math.round(load * 100)
  const verdict = load > BUSY ? ': **too many, run it again when the machine is quiet**' : ''
  return `${date}, ${describeMachine()}. Medians of ${rounds} rounds of ${seconds} s.${omitted}
Other programs used at most ${percent} % of the processors between the rounds${verdict}.`
}
