import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreError, type StoreErrorCode, uploadErrorStatus } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { REPOSITORY } from '../support/server.ts'

/** Where a package lists its errors, and where it documents them. */
const PACKAGES = {
  'range-core': { list: 'errors.ts', document: 'README.md' },
  'koa-range-stream': { list: 'errors.ts', document: 'README.md' },
  'upload-store': { list: 'contract/store-error.ts', document: 'ERRORS.md' },
  'koa-resumable-upload': { list: 'errors.ts', document: 'README.md' },
}

const read = (path: string) => readFile(join(REPOSITORY, path), 'utf8')

/** The cells of each row of the tables whose header begins with `header`. */
async function rowsOf(document: string, header: string): Promise<string[][]> {
  const tables = (await read(document)).matchAll(/^\| (.*) \|\n\|[-|]+\|\n((?:\|.*\n)+)/gm)
  return [...tables]
    .filter(([, head = '']) => head.startsWith(header))
    .flatMap(([, , lines = '']) => lines.trim().split('\n'))
    .map((line) => line.slice(2, -2).split(' | '))
}

/** The codes in the first cells of a table. */
const codesOf = (rows: readonly string[][]) =>
  rows.flatMap(([cell = '']) => /^`(\w+)`/.exec(cell)?.[1] ?? []).toSorted()

interface Listed {
  readonly code: string
  readonly comment: string
}

/** The members of the unions of codes in a list, each with the comment above it. */
async function listedCodes(path: string): Promise<Listed[]> {
  const members = (await read(path)).matchAll(/(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?\| '([A-Z_]+)'/g)
  return [...members].map(([, comment = '', code = '']) => ({ code, comment }))
}

async function sourcesOf(folder: string): Promise<string[]> {
  const files = await readdir(join(REPOSITORY, folder), { recursive: true })
  const sources = files.filter((file) => file.endsWith('.ts'))
  return Promise.all(sources.map((file) => read(join(folder, file))))
}

describe.each(Object.entries(PACKAGES))('the errors of %s', (name, { list, document }) => {
  const path = `packages/${name}/src/${list}`

  it('are listed in one file, each with its meaning, when it occurs, and the remedy', async () => {
    const listed = await listedCodes(path)
    expect(listed.length).toBeGreaterThan(0)
    const incomplete = listed.filter(({ comment }) => !/\w[\s\S]*\* When: [\s\S]*\* Remedy: /.test(comment))
    expect(incomplete.map(({ code }) => code)).toEqual([])
  })

  it('are the rows of the table in its documents', async () => {
    const codes = (await listedCodes(path)).map(({ code }) => code).toSorted()
    expect(codesOf(await rowsOf(`packages/${name}/${document}`, 'code | when | remedy'))).toEqual(codes)
  })

  it('include every code that another file uses', async () => {
    const list = await read(path)
    const used = (await sourcesOf(`packages/${name}/src`)).flatMap((source) =>
      [...source.matchAll(/\b(?:code: |warnOnce\(\s*)'([A-Z_]+)'/g)].map(([, code = '']) => code),
    )
    // The codes of Node's own errors, which the store gives to causes.
    const foreign = new Set(['ENOENT', 'ENOTDIR'])
    expect(used.filter((code) => !foreign.has(code) && !list.includes(`'${code}'`))).toEqual([])
  })
})

describe('the errors of upload-store', () => {
  it('have the HTTP statuses that ERRORS.md gives', async () => {
    const rows = await rowsOf('packages/upload-store/ERRORS.md', 'code | when | remedy | status')
    const codes = (await listedCodes('packages/upload-store/src/contract/store-error.ts')).map(
      ({ code }) => code as StoreErrorCode,
    )
    const statuses = codes.map((code) => [code, uploadErrorStatus(new StoreError(code, ''))])
    const told = rows.map((cells) => [/\w+/.exec(cells[0] ?? '')?.[0], Number(cells.at(-1))])
    expect(told.toSorted()).toEqual(statuses.toSorted())
  })

  it('include the code of a source that was read before', async () => {
    const listed = await read('packages/upload-store/src/contract/store-error.ts')
    expect(listed).toContain("code: 'ERR_SOURCE_CONSUMED'")
    expect(await read('packages/upload-store/ERRORS.md')).toContain('`ERR_SOURCE_CONSUMED`')
  })
})

/** Each status with a title, sorted. */
const withTitles = (rows: readonly string[][]) =>
  rows.map(([status, title]) => `${status} ${title}`).toSorted()

describe('the problems of koa-resumable-upload', () => {
  it('are the rows of the table in its README', async () => {
    const source = await read('packages/koa-resumable-upload/src/errors.ts')
    const problems = [...source.matchAll(/status: (\d+),(?:\s*type: .*?,)?\s*title: '([^']*)'/g)]
    const listed = new Set(problems.map(([, status, title]) => `${status} ${title}`))
    const rows = await rowsOf('packages/koa-resumable-upload/README.md', 'status | title')
    expect(problems.length).toBeGreaterThan(10)
    expect(withTitles(rows)).toEqual([...listed].toSorted())
  })
})

describe('the errors of apps/server', () => {
  it('are the problems in its README, with their titles', async () => {
    const [, titles = ''] =
      /const TITLES[^{]*\{([^}]*)\}/.exec(await read('apps/server/src/http/problem.ts')) ?? []
    const listed = [...titles.matchAll(/(\d+): '([^']*)'/g)].map(([, status, title]) => `${status} ${title}`)
    expect(listed.length).toBeGreaterThan(20)
    expect(withTitles(await rowsOf('apps/server/README.md', 'status | title'))).toEqual(listed)
  })

  it('have only statuses with a title', async () => {
    const problems = await read('apps/server/src/http/problem.ts')
    const used = (await sourcesOf('apps/server/src')).flatMap((source) =>
      [...source.matchAll(/createError\(\s*(\d+)/g)].map(([, status]) => `${status}`),
    )
    const store = await rowsOf('packages/upload-store/ERRORS.md', 'code | when | remedy | status')
    const statuses = new Set([...used, ...store.map((cells) => cells.at(-1))])
    expect([...statuses].filter((status) => !problems.includes(`${status}: '`))).toEqual([])
  })

  it('at start are the rows of the table in its README', async () => {
    const source = await read('apps/server/src/processes/startup-error.ts')
    const codes = [...source.matchAll(/code === '(\w+)'|instanceof (\w+)\)/g)].map(
      ([, code, type]) => code ?? type ?? '',
    )
    const listed = [...new Set(codes)].filter((code) => code !== 'Error').toSorted()
    expect(codesOf(await rowsOf('apps/server/README.md', 'error | exit'))).toEqual(listed)
  })
})
