import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ON_S3 } from '../support/test-store.mjs'
import { THEMES } from './cases/index.ts'
import { type Case, casesOf, PROTOCOLS, type Protocol, runCase, startTheme } from './suite.ts'

/** The protocol makes no difference to the store, and S3 takes its time. */
const TESTED: readonly Protocol[] = ON_S3 ? ['HTTP/1.1'] : PROTOCOLS

const passed = { 'HTTP/1.1': 0, 'HTTP/2': 0 }

function nameOf({ section, level, title }: Case): string {
  return `${/^\d|^B/.test(section) ? '§' : ''}${section}, ${level}: ${title}`
}

describe('the cases', () => {
  it('have a name each', () => {
    const names = THEMES.flatMap(({ name, cases }) => cases.map((one) => `${name}, ${nameOf(one)}`))
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
  })
})

describe.each(THEMES)('$name', (theme) => {
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

/** `214 cases over HTTP/1.1 (MUST 90, SHOULD 70, ours 54), 214 passed`. */
function count(protocol: Protocol): string {
  const all = THEMES.flatMap((theme) => casesOf(theme, protocol))
  const levels = (['MUST', 'SHOULD', 'ours'] as const).map(
    (level) => `${level} ${all.filter((one) => one.level === level).length}`,
  )
  return `${all.length} cases over ${protocol} (${levels.join(', ')}), ${passed[protocol]} passed`
}

afterAll(() => console.log(`Resumable uploads: ${TESTED.map(count).join('; ')}`))
