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

Cases passed by each server, of those that apply to it. The cases ([test/conformance](../test/conformance)) cover what RFC 9110
requires of a server of files in §8.8, §13, §14, §15.3.7, §15.4.5, §15.5.13 and §15.5.17.

- \`must\` and \`should\` are the RFC's own words. Wrong bytes, broken framing and files outside the root count as \`must\`. Clear
  consequences of the RFC's grammar count as \`should\`.
- \`quality\` is what a careful server does beyond the RFC, in our judgement.
- Each server ran with its defaults, except for what its name says. A server without ETags fails the cases about entity-tags.

We wrote these cases and fixed our server against them. Our rows are a regression check, not an independent score.

${levels}

Made by \`npm run conformance\` on ${made}. nginx, Apache and Caddy are Debian's; servers that are not installed have no row.

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
  return `Cases passed / cases applicable, of ${CASES.length} cases on raw sockets (${date}; [versions and themes](docs/conformance.md)). We wrote these
cases and fixed our server against them, so our rows are a regression check, not an independent score.

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
