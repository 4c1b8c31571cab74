import { LEVELS } from './case.ts'
import { CASES, type ThemedCase } from './cases/index.ts'
import { type Contender, titleOf } from './peers.ts'

export interface Score {
  readonly contender: Contender
  /** Each case that was run, and whether it passed. */
  readonly passed: ReadonlyMap<ThemedCase, boolean>
}

/**
 * The document that `npm run conformance` writes.
 *
 * @param made when and with what
 */
export function report(scores: readonly Score[], made: string): string {
  const levels = table(
    ['server', 'version', ...LEVELS, 'all'],
    scores.map(({ contender, passed }) => [
      contender.name,
      contender.version ?? '',
      ...byLevel(passed),
      fraction(passed, () => true),
    ]),
  )
  const themes = [...new Set(scores.flatMap(({ passed }) => [...passed.keys()].map(({ theme }) => theme)))]
  const byTheme = table(
    ['theme', ...scores.map((_, at) => String(at + 1))],
    themes.map((name) => [
      name,
      ...scores.map(({ passed }) => fraction(passed, ({ theme }) => theme === name)),
    ]),
  )
  return `# Conformance

Which of the cases in [test/conformance](../test/conformance) a server passes, out of those that it was put to. They cover
what RFC 9110 says in §8.8, §13, §14, §15.3.7, §15.4.5, §15.5.13 and §15.5.17 to a server of files. \`must\` and \`should\`
are the RFC's own words; wrong bytes, broken framing and files outside the root count as \`must\`, and what its grammar plainly
means as \`should\`. \`quality\` is what a careful server does beyond them, in our judgement. Each server ran with its defaults
but for what its name says; one that sends no ETag does not pass a case about entity-tags.

We chose the cases and fixed our server by them, so its own rows say that nothing has broken, not how it fares against
cases of others.

${levels}

Made by \`npm run conformance\` on ${made}. Peers that are not installed have no row: nginx, Apache and Caddy are Debian's.

## By theme

Columns in the order of the rows above.

${byTheme}
`
}

/**
 * What the repository's README has of it.
 *
 * @param date as 2026-11-23
 */
export function standing(scores: readonly Score[], date: string): string {
  const rows = scores.map(({ contender, passed }) => [titleOf(contender), ...byLevel(passed)])
  return `${CASES.length} cases of RFC 9110 for a server of files, each on a raw socket, run in \`npm test\`. Passed of those put to each, on ${date}
([versions, themes](docs/conformance.md)). We chose the cases and mended our server by them: its rows say that nothing has broken.

${table(['server', ...LEVELS], rows)}`
}

function byLevel(passed: Score['passed']): readonly string[] {
  return LEVELS.map((level) => fraction(passed, (one) => one.level === level))
}

function fraction(passed: Score['passed'], belongs: (one: ThemedCase) => boolean): string {
  const outcomes = [...passed].filter(([one]) => belongs(one)).map(([, pass]) => pass)
  return outcomes.length === 0 ? '–' : `${outcomes.filter((pass) => pass).length}/${outcomes.length}`
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map(() => '---')
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
