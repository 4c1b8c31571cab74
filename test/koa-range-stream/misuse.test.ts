import { createRequire } from 'node:module'
import { join } from 'node:path'
import etag from '@koa/etag'
import type Koa from 'koa'
import serveStatic from 'koa-static'
import { expect, it, onTestFinished } from 'vitest'
import { settledFile, temporaryDirectory } from './files.ts'
import { ask, serve } from './server.ts'

const require = createRequire(import.meta.url)

/** The CommonJS build as a new process has it: it has warned of nothing yet. */
function newBuild(): typeof import('koa-range-stream') {
  for (const file of Object.keys(require.cache))
    if (file.includes('/koa-range-stream/dist/cjs/')) delete require.cache[file]
  return require('koa-range-stream')
}

/** The warnings of koa-range-stream that the process emits; each kind comes once in the life of a process. */
function warnings(): Error[] {
  const found: Error[] = []
  const add = (warning: Error) => {
    if (warning.name === 'KoaRangeStreamWarning') found.push(warning)
  }
  process.on('warning', add)
  onTestFinished(() => void process.off('warning', add))
  return found
}

async function oneWarning(found: readonly Error[], code: string): Promise<string> {
  const ofKind = () => found.filter((warning) => 'code' in warning && warning.code === code)
  await expect.poll(ofKind).toHaveLength(1)
  return ofKind()[0]?.message ?? ''
}

it('warns once, with the remedy, that koa-static with defer is mounted above rangeStream', async () => {
  const found = warnings()
  const { rangeStream } = newBuild()
  const directory = await temporaryDirectory()
  await settledFile(directory, 'a.txt', '0123456789')
  const right = await serve(rangeStream(), serveStatic(directory, { defer: true }), rangeStream())
  expect((await ask(right, { path: '/a.txt', headers: { range: 'bytes=1-2' } })).status).toBe(206)
  expect((await ask(right, { path: '/missing.txt' })).status).toBe(404)
  expect(found).toEqual([])

  const wrong = await serve(serveStatic(directory, { defer: true }), rangeStream())
  for (const headers of [{ range: 'bytes=1-2' }, {}])
    expect(await ask(wrong, { path: '/a.txt', headers })).toMatchObject({ status: 200, text: '0123456789' })
  const message = await oneWarning(found, 'BODY_SET_ABOVE')
  expect(message).toMatch(/defer: true.*Mount rangeStream\(\) above/)
})

it('warns once, with the remedy, that koa-etag is mounted above rangeStream', async () => {
  const found = warnings()
  const { rangeStream } = newBuild()
  const text: Koa.Middleware = (ctx) => {
    ctx.body = '0123456789'
  }
  const right = await serve(rangeStream(), etag(), text)
  const { headers } = await ask(right, { path: '/' })
  const tag = headers['etag'] ?? ''
  expect((await ask(right, { path: '/', headers: { 'if-match': tag } })).status).toBe(200)
  expect((await ask(right, { path: '/', headers: { range: 'bytes=1-2', 'if-range': tag } })).status).toBe(206)
  // A response that rangeStream leaves to Koa loses nothing by that order.
  const json = await serve(etag(), rangeStream(), (ctx) => {
    ctx.body = { a: 1 }
  })
  expect((await ask(json, { path: '/' })).headers['etag']).toBeDefined()
  expect(found).toEqual([])

  const wrong = await serve(etag(), rangeStream(), text)
  for (let request = 0; request < 2; request++) expect((await ask(wrong, { path: '/' })).status).toBe(200)
  const message = await oneWarning(found, 'ETAG_SET_ABOVE')
  expect(message).toMatch(/koa-etag.*Mount rangeStream\(\) above it/)
})

it.each<[string, Koa.Middleware]>([
  [
    'of a content',
    async (ctx) => {
      ctx.body = { size: 1, etag: 'v1', stream: () => new Blob(['a']).stream() }
    },
  ],
  [
    'that the app has set',
    (ctx) => {
      ctx.set('ETag', 'v1')
      ctx.body = 'a'
    },
  ],
])('sends an unquoted entity-tag %s as it is, and warns once with the remedy', async (_, handler) => {
  const found = warnings()
  const server = await serve(newBuild().rangeStream(), handler)
  for (let count = 0; count < 2; count++)
    expect(await ask(server)).toMatchObject({ status: 200, headers: { etag: 'v1' } })
  expect(await oneWarning(found, 'UNQUOTED_ETAG')).toContain(`Write it as '"v1"'`)
})

it('finds no file in a root that does not exist, and warns once with its path', async () => {
  const found = warnings()
  const { fileContent } = newBuild()
  const root = join(await temporaryDirectory(), 'nowhere')
  for (let count = 0; count < 2; count++) expect(await fileContent('a.txt', { root })).toBeNull()
  expect(await oneWarning(found, 'MISSING_ROOT')).toContain(root)
})
