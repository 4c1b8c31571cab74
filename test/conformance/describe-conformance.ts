import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Program } from '../support/programs.ts'
import { describeWith } from '../support/tools.ts'
import { CASES, type ThemedCase } from './cases/index.ts'
import { Suite } from './suite.ts'
import { startTarget } from './target.ts'

/** The cases that a server has for which objects are put, instead of files laid out. */
export const ABOUT_OBJECTS: readonly ThemedCase[] = CASES.filter(({ only }) => only === undefined)

export function describeConformance(
  name: string,
  start: Parameters<typeof startTarget>[0],
  cases: readonly ThemedCase[],
  programs: readonly Program[] = [],
): void {
  describeWith(programs, name, () => {
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
}

/** As an expectation with the section that has it. */
function nameOf({ theme, section, level, title }: ThemedCase): string {
  return `${section.startsWith('RFC') ? section : `RFC 9110 §${section}`}, ${level}, ${theme}: ${title}`
}
