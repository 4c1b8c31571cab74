const { once } = require('node:events')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { get } = require('node:http')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { Readable } = require('node:stream')
const Koa = require('koa')
const serveStatic = require('koa-static')
const range = require('koa-range-stream')
const { planResponse } = require('range-core')

const LENGTH = 8 * 1024 * 1024
const folder = mkdtempSync(join(tmpdir(), 'jest-'))
writeFileSync(join(folder, 'a.bin'), Buffer.alloc(LENGTH, '0123456789'))
const servers = []

afterAll(() => {
  for (const server of servers) server.close().closeAllConnections()
  rmSync(folder, { recursive: true })
})

async function serve(...middleware) {
  const errors = []
  const app = new Koa()
  app.on('error', (error) => errors.push(error.code ?? error.message))
  for (const one of middleware) app.use(one)
  const server = app.listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${server.address().port}`, errors }
}

test('require gives the middleware, with the named exports as properties', () => {
  expect(range).toHaveLength(2)
  expect(require('koa-range-stream/koa-range')).toBe(range)
  expect(typeof range.serveContent).toBe('function')
  expect(planResponse({ method: 'GET', headers: { range: 'bytes=-1' } }, { size: 3 }).status).toBe(206)
})

test('ranges of a file are served', async () => {
  const { url, errors } = await serve(range, serveStatic(folder, { defer: true }))
  for (const [wanted, text] of [
    ['bytes=2-4', '234'],
    ['bytes=-1', '7'],
  ]) {
    const response = await fetch(`${url}/a.bin`, { headers: { range: wanted } })
    expect([response.status, await response.text()]).toEqual([206, text])
  }
  const missing = await fetch(`${url}/none.bin`, { headers: { range: 'bytes=0-1' } })
  expect([missing.status, errors]).toEqual([404, []])
})

test('content whose stream is a promise is served', async () => {
  const stream = async () => Readable.from([Buffer.from('0123456789')])
  const { url } = await serve((ctx) => range.serveContent(ctx, { size: 10, stream }))
  expect(await (await fetch(url)).text()).toBe('0123456789')
})

test('a client that closes the connection is reported as ECONNRESET alone', async () => {
  const { url, errors } = await serve(range, serveStatic(folder))
  const request = get(`${url}/a.bin`, { headers: { range: 'bytes=1-' } })
  const [response] = await once(request, 'response')
  await once(response, 'readable')
  response.destroy()
  while (!errors.includes('ECONNRESET')) await new Promise(setImmediate)
  expect(new Set(errors)).toEqual(new Set(['ECONNRESET']))
})
