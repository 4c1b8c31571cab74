import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWith } from '../support/tools.ts'
import { CASES, type ThemedCase } from './cases/index.ts'
import { startAssets, startAssetsOverTls, startModule, startStored } from './ours.ts'
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

type Start = (root: string, home: string) => Promise<Started>

describe('the demo server, static files', () => passesAll(startAssets, CASES))
describe('the demo server, stored objects', () => passesAll(startStored, ABOUT_OBJECTS))
describeWith(['openssl'], 'the demo server, static files over TLS', () =>
  passesAll(startAssetsOverTls, CASES),
)
describe('Koa, koa-conditional-get, rangeStream, koa-static', () =>
  passesAll((root, home) => startModule('ten-lines', root, home), CASES))

function passesAll(start: Start, cases: readonly ThemedCase[]): void {
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
}
