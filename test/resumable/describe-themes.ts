import { afterAll, beforeAll, describe, it } from 'vitest'
import { ON_S3 } from '../support/test-store.mjs'
import { type Case, casesOf, PROTOCOLS, type Protocol, runCase, startTheme, type Theme } from './suite.ts'

/** The protocol makes no difference to the store, and S3 takes its time. */
const TESTED: readonly Protocol[] = ON_S3 ? ['HTTP/1.1'] : PROTOCOLS

export function nameOf({ section, level, title }: Case): string {
  return `${/^\d|^B/.test(section) ? '§' : ''}${section}, ${level}: ${title}`
}

/** A test for each case of the themes over each protocol, and a line with their counts. */
export function describeThemes(themes: readonly Theme[]): void {
  const passed = { 'HTTP/1.1': 0, 'HTTP/2': 0 }
  describe.each(themes)('$name', (theme) => {
    let started: Awaited<ReturnType<typeof startTheme>>
    beforeAll(async () => {
      started = await startTheme(theme)
    })
    afterAll(() => started.stop())

    describe.each(TESTED)('%s', (protocol) => {
      const cases = casesOf(theme, protocol).map((one) => [nameOf(one), one] as const)
      it.each(cases)('%s', async (_, one) => {
        await runCase(one, protocol, started.server)
        passed[protocol]++
      })
    })
  })

  afterAll(() => {
    const counts = TESTED.map((protocol) => `${count(themes, protocol)}, ${passed[protocol]} passed`)
    console.log(`Resumable uploads: ${counts.join('; ')}`)
  })
}

/** `214 cases over HTTP/1.1 (MUST 90, SHOULD 70, ours 54)`. */
function count(themes: readonly Theme[], protocol: Protocol): string {
  const all = themes.flatMap((theme) => casesOf(theme, protocol))
  const levels = (['MUST', 'SHOULD', 'ours'] as const).map(
    (level) => `${level} ${all.filter((one) => one.level === level).length}`,
  )
  return `${all.length} cases over ${protocol} (${levels.join(', ')})`
}
