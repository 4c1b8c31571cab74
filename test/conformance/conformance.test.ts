import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CASES, type ThemedCase } from './cases/index.ts'
import { startAssets, startModule, startStored } from './ours.ts'
import { Suite } from './suite.ts'
import { type Started, startTarget } from './target.ts'

const ABOUT_OBJECTS = CASES.filter(({ only }) => only === undefined)

/** As an expectation with the section that has it. */
function nameOf({ theme, section, level, title }: ThemedCase): string {
  return `${section.startsWith('RFC') ? section : `RFC 9110 §${section}`}, ${level}, ${theme}: ${title}`
}

describe('the cases', () => {
  it('have an id each', () => {
    const ids = CASES.map(({ id }) => id)
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
  })
})

describe.each([
  ['the demo server, static files', startAssets, CASES],
  ['the demo server, stored objects', startStored, ABOUT_OBJECTS],
  [
    'Koa, koa-conditional-get, rangeStream, koa-static',
    (root: string, home: string): Promise<Started> => startModule('ten-lines', root, home),
    CASES,
  ],
] as const)('%s', (_, start, cases) => {
  let target: Awaited<ReturnType<typeof startTarget>>
  let suite: Suite

  beforeAll(async () => {
    target = await startTarget(start)
    suite = new Suite(target)
  })
  afterAll(() => target.close())

  it.each(cases.map((one) => [nameOf(one), one] as const))('%s', async (_name, one) => {
    expect(await suite.run(one)).toEqual({ result: 'pass' })
  })
})
