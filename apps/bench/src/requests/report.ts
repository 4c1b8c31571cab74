import { describeMachine, formatRate, formatRatio, markdownTable, median } from '../table.ts'
import type { Figures } from './client.ts'
import type { ListFigures } from './lists.ts'
import type { Measurement } from './rounds.ts'
import { SUBJECTS } from './subjects.ts'

const EXPLANATION = `The figures are medians of the rounds. A ratio compares a line with the first line of its table that has the same label, or else
with the first line: the median of the ratios of all rounds, and their range. CPU is the processor time that the server uses for one
upload, with all its threads, from /proc; on a disk that varies it says more than the rate. @tus/server acknowledges without a flush,
so its uploads may be lost in a power cut; the others flush first. The client runs on the same processors.

Compare only ratios within one run. All other figures depend on this machine, its disk and its load.`

/** The tables as Markdown. */
export function reportRequests(
  measurements: readonly Measurement[],
  lists: readonly ListFigures[],
  pace: { readonly rounds: number; readonly count: number },
): string {
  const date = new Date().toISOString().slice(0, 10)
  const host = `${date}, ${describeMachine()}. ${pace.rounds} rounds of ${pace.count} requests each.`
  const tables = SUBJECTS.map((subject) => {
    const rows = measurements.filter((each) => each.subject === subject)
    return `## ${capitalized(subject.name)}\n\n${subjectTable(rows)}`
  })
  return `${[host, ...tables, `## Lists\n\n${listTable(lists)}`, EXPLANATION].join('\n\n')}\n`
}

function subjectTable(rows: readonly Measurement[]): string {
  const head = ['server', 'request', 'a second', 'ratio', 'CPU, ms', 'ratio']
  return markdownTable(
    head,
    rows.map((row) => {
      const peer = rows.find(({ entry }) => entry.label === row.entry.label) ?? rows[0]
      const compared = peer === undefined || peer === row ? rows[0] : peer
      return [
        row.entry.contender.name,
        row.entry.label,
        ...cells(row.figures, compared?.figures ?? [], ({ perSecond }) => perSecond, formatRate),
        ...cells(
          row.figures,
          compared?.figures ?? [],
          ({ processor }) => processor,
          (ms) => ms.toFixed(1),
        ),
      ]
    }),
  )
}

function cells(
  own: readonly Figures[],
  peers: readonly Figures[],
  of: (figures: Figures) => number,
  format: (value: number) => string,
): readonly [string, string] {
  const ratios = own.map((figures, round) => of(figures) / of(peers[round] ?? figures))
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map(formatRatio)
  const ratio = own === peers ? '1' : `${formatRatio(median(ratios))} (${least}–${most})`
  return [format(median(own.map(of))), ratio]
}

function listTable(lists: readonly ListFigures[]): string {
  return markdownTable(
    ['page of 1,000', 'objects', 'a second', 'wanted', 'CPU, ms'],
    lists.map(({ kind, objects, wanted, figures: { perSecond, processor } }) => [
      kind,
      objects.toLocaleString('en'),
      formatRate(perSecond),
      wanted === undefined
        ? ''
        : `≥ ${wanted.toLocaleString('en')}${perSecond < wanted ? ' **missed**' : ''}`,
      processor.toFixed(1),
    ]),
  )
}

function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}
