import { describeHost, formatRate, formatRatio, markdownTable } from '../table.ts'
import { CONTENDERS, type Contender, NGINX, PLAIN } from './contenders.ts'
import type { Crowd } from './crowd.ts'
import { footnotes, nameOf, processorTable, rateTable } from './figure-tables.ts'
import type { Measurement } from './figures.ts'
import { FAR, KINDS, type Kind, NEAR } from './kinds.ts'
import { MEBIBYTE } from './media.ts'
import type { Refusal } from './probe.ts'
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
  /** What a shorter run leaves out, empty for nothing. */
  readonly omitted: string
}

/** With more than this in use by others, ratios are not to be trusted either. */
const BUSY = 0.1

const EXPLANATION = `In parentheses: the ratio to the first of ours, as the median of the rounds' ratios. CPU: the server's processor time
for one answer, all its threads, from /proc. Servers run on one processor and clients on another; everyone is asked in
each round, one after another, in rotated order; before each cell answers are compared with the file byte by byte, and
wrk's totals have to fit. HEAD, ranges that are not in the page cache, and who takes seconds for an answer are asked by
a client in Node, which may be what limits the requests/s of the fastest: their CPU time is as good as that of others.
bare Koa answers one byte, whatever it is asked for.`

const CAUTION = 'Only ratios within one run mean something: the rest are those of this host and its load.'

/** The medians as Markdown, with what a reader has to know about the run. */
export function report(run: Run): string {
  const { measurements, refusals, crowds } = run
  const sections = [
    '## Targets',
    verdictTable(judge(measurements, crowds)),
    '## Requests per second, and CPU time',
    ...bothTables(
      run,
      CONTENDERS,
      KINDS.filter((kind) => !SPARSE_KINDS.includes(kind)),
    ),
    footnotes(refusals).text,
    '## Far into a sparse file',
    ...bothTables(run, [NGINX, PLAIN], SPARSE_KINDS),
    '## Slow readers',
    crowdTable(crowds),
    '## How it was measured',
    EXPLANATION,
    circumstances(run),
    CAUTION,
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

const SPARSE_KINDS: readonly Kind[] = [NEAR, FAR]

function bothTables(
  { measurements, refusals }: Run,
  allContenders: readonly Contender[],
  allKinds: readonly Kind[],
): readonly string[] {
  const contenders = allContenders.filter((one) => measurements.some(({ contender }) => contender === one))
  const kinds = allKinds.filter((one) => measurements.some(({ kind }) => kind === one))
  const shown = { measurements, refusals, contenders, kinds, yardstick: PLAIN }
  return [rateTable(shown), processorTable(shown)]
}

function crowdTable(crowds: readonly Crowd[]): string {
  const head = [
    'readers of 64 KiB/s each',
    'memory, MiB',
    'bytes',
    'a second late',
    'a fast one alone',
    'beside them',
    'kept',
  ]
  const rows = crowds.map(({ contender, readers, memory, report, alone, beside }) => [
    `${nameOf(contender)}, ${formatRate(readers)} readers`,
    formatRate(memory / MEBIBYTE),
    report.fault ?? `all of ${formatRate(report.received / MEBIBYTE)} MiB right`,
    `${(report.late * 100).toFixed(1)} %`,
    formatRate(alone),
    formatRate(beside),
    formatRatio(beside / alone),
  ])
  return markdownTable(head, rows)
}

function circumstances({ rounds, seconds, loads, omitted }: Run): string {
  const load = Math.max(...loads)
  const percent = Math.round(load * 100)
  const verdict = load > BUSY ? ': **too many, run it again when the machine is quiet**' : ''
  return `${describeHost()}. Medians of ${rounds} rounds of ${seconds} s.${omitted}
Others used at most ${percent} % of the processors between the rounds${verdict}.`
}
