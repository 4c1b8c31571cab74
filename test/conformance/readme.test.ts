import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { REPOSITORY } from '../support/server.ts'
import { blockOf } from './block.ts'
import { CASES } from './cases/index.ts'
import { ABOUT_OBJECTS } from './describe-conformance.ts'
import { CONTENDERS, titleOf } from './peers.ts'
import { standing } from './report.ts'
import { answersOf, SHOWN } from './telling.ts'

const textOf = (document: string) => readFile(join(REPOSITORY, document), 'utf8')

/** Rows of cells, the head first. */
const cellsOf = (table: string) =>
  table
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )

describe("koa-range-stream's table of answers", () => {
  // nginx is Debian's, of whatever version.
  it.each(SHOWN.filter(({ name }) => name !== 'nginx').map((one) => [one.name, one] as const))(
    'has what %s answers',
    async (_, contender) => {
      const [head = [], , ...rows] = cellsOf(blockOf(await textOf('packages/koa-range-stream/README.md')))
      const column = head.indexOf(titleOf(contender))
      expect(rows.map((row) => row[column])).toEqual(await answersOf(contender))
    },
  )

  it('has no ✗ in our column', async () => {
    const [, , ...rows] = cellsOf(blockOf(await textOf('packages/koa-range-stream/README.md')))
    expect(rows.map((row) => row[1]?.slice(0, 1))).toEqual(rows.map(() => '✓'))
  })
})

describe("the README's standing", () => {
  it('has our rows as the tests of conformance have them: every case passes', async () => {
    const all = CONTENDERS.filter(({ ours }) => ours).map((contender) => {
      const put = contender.stores === true ? ABOUT_OBJECTS : CASES
      return { contender, passed: new Map(put.map((one) => [one, true] as const)) }
    })
    const rows = cellsOf(standing(all, ''))
    expect(cellsOf(blockOf(await textOf('README.md'))).slice(0, rows.length)).toEqual(rows)
  })

  it.each(['README.md', 'packages/koa-range-stream/README.md'])('%s counts the cases', async (document) => {
    const [, count] = /(\d+)\s+cases\b/.exec(await textOf(document)) ?? []
    expect(Number(count)).toBe(CASES.length)
  })
})
