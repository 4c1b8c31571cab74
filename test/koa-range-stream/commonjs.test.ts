import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import defaultMiddleware, { fileContent, serveContent } from 'koa-range-stream'
import { expect, it } from 'vitest'
import { openDescriptors, settledFile, temporaryDirectory } from './files.ts'
import { ask, serve } from './server.ts'

const required: typeof import('koa-range-stream') = createRequire(import.meta.url)('koa-range-stream')

/** Runs a CommonJS script in a process in which `require` loads no ES module; older Nodes have no such flag. */
async function runCommonJs(script: string): Promise<string> {
  const flag = '--no-experimental-require-module'
  const flags = process.allowedNodeEnvironmentFlags.has(flag) ? [flag] : []
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, '-e', script], {
    cwd: import.meta.dirname,
  })
  return stdout.trim()
}

it('gives require() the middleware itself, with the named exports as its properties', async () => {
  const script = `
    const range = require('koa-range-stream')
    const names = Object.keys(range).filter((name) => typeof range[name] === 'function').sort()
    const isSame = range === require('koa-range-stream/koa-range') && range === range.default
    console.log(JSON.stringify([typeof range, range.length, names, isSame]))`
  const names = ['default', 'fileContent', 'rangeStream', 'serveContent']
  expect(JSON.parse(await runCommonJs(script))).toEqual(['function', 2, names, true])
})

it('gives require() all functions of range-core', async () => {
  const names = await runCommonJs(`console.log(Object.keys(require('range-core')).sort().join())`)
  expect(names).toBe(
    Object.keys(await import('range-core'))
      .sort()
      .join(),
  )
})

it('shares one descriptor of a file between the ESM and the CommonJS build in one process', async () => {
  const directory = await temporaryDirectory()
  const path = await settledFile(directory, 'a.txt', '0123456789')
  expect(required.default).not.toBe(defaultMiddleware)
  const builds = { esm: { fileContent, serveContent }, cjs: required }
  const pairs = [
    [builds.esm, builds.cjs],
    [builds.cjs, builds.esm],
    [builds.esm, builds.esm],
    [builds.cjs, builds.cjs],
  ] as const
  const server = await serve(async (ctx) => {
    const [describing, serving] = pairs[Number(ctx.query['pair'])] ?? pairs[0]
    const content = await describing.fileContent(path)
    if (content !== null) await serving.serveContent(ctx, content)
  })
  for (const pair of pairs.keys()) {
    const reply = await ask(server, { path: `/?pair=${pair}`, headers: { range: 'bytes=-2' } })
    expect([reply.status, reply.text]).toEqual([206, '89'])
  }
  expect(await openDescriptors(directory)).toBe(1)
})

it('answers 304 once when both builds are mounted in one app', async () => {
  const server = await serve(required.rangeStream(), defaultMiddleware, (ctx) => {
    ctx.etag = 'a'
    ctx.body = 'text'
  })
  expect((await ask(server, { headers: { 'if-none-match': '"a"' } })).status).toBe(304)
  expect(await ask(server, { headers: { range: 'bytes=0-1' } })).toMatchObject({ status: 206, text: 'te' })
})
