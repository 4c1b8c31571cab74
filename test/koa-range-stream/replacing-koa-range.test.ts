import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type Koa from 'koa'
import koaRange from 'koa-range'
import range from 'koa-range-stream'
import serveStatic from 'koa-static'
import staticCache from 'koa-static-cache'
import { expect, it } from 'vitest'
import { settledFile, temporaryDirectory } from './files.ts'
import { ask, type Reply, serve } from './server.ts'

// The middleware below koa-range in @strapi/upload and lws-range, and in egg-static.
const CHAINS = [
  (root: string) => serveStatic(root, { defer: true }),
  (root: string) => staticCache(root, { buffer: true }),
]

interface Row {
  /** Field lines, in which `{etag}` and `{date}` stand for the validators of the response. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** The responses of koa-range in each chain, and of koa-range-stream in both. */
  readonly responses: readonly string[]
}

async function documentedRows(): Promise<readonly Row[]> {
  const recipes = await readFile(
    join(import.meta.dirname, '../../packages/koa-range-stream/RECIPES.md'),
    'utf8',
  )
  const [, lines = ''] =
    /^\| request \| koa-range 0\.3\.0 over .*\n\|[-|]+\n((?:\|.*\n)+)/m.exec(recipes) ?? []
  return lines
    .trim()
    .split('\n')
    .map((line) => {
      const [request = '', ...responses] = line.slice(2, -2).split(' | ')
      const fields = [...request.matchAll(/`([\w-]+): ([^`]+)`/g)]
      return { fields: fields.map(([, name = '', value = '']) => [name, value] as const), responses }
    })
}

function describeReply({ status, headers, text }: Reply): string {
  if (status !== 206) return `${status}`
  const range = headers['content-range']
  return range === undefined ? `206, ${text.match(/^Content-Range/gim)?.length} parts` : `206 ${range}`
}

/** Returns the response to each row of the table, from a file of 10 bytes. */
async function responses(
  above: Koa.Middleware,
  below: (root: string) => Koa.Middleware,
  rows: readonly Row[],
) {
  const root = await temporaryDirectory()
  await settledFile(root, 'a.txt', '0123456789')
  const server = await serve(above, below(root))
  const { headers } = await ask(server, { path: '/a.txt' })
  const date = headers['last-modified'] ?? ''
  const found: string[] = []
  for (const { fields } of rows) {
    if (headers.etag === undefined && fields.some(([, value]) => value === '{etag}')) {
      found.push('has no ETag')
      continue
    }
    const request = fields.map(([name, value]) => [
      name,
      value.replace('{etag}', headers.etag ?? '').replace('{date}', date),
    ])
    // The connection closes, so that a response without its last bytes is cut off at once.
    const sent = { ...Object.fromEntries(request), connection: 'close' }
    const reply = ask(server, { path: '/a.txt', headers: sent })
    found.push(await reply.then(describeReply, () => 'cut off'))
  }
  return found
}

it('changes the responses of koa-range in the chains of its users as the recipe says', async () => {
  const rows = await documentedRows()
  expect(rows.length).toBeGreaterThan(8)
  const [inStatic, inCache] = await Promise.all(CHAINS.map((below) => responses(koaRange, below, rows)))
  const [oursInStatic, oursInCache] = await Promise.all(CHAINS.map((below) => responses(range, below, rows)))
  expect(oursInCache).toEqual(oursInStatic)
  const found = rows.map((_, index) => [inStatic?.[index], inCache?.[index], oursInStatic?.[index]])
  expect(found).toEqual(rows.map(({ responses }) => responses))
})
