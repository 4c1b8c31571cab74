import { once } from 'node:events'
import fs, { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import vm from 'node:vm'
import serveStatic from 'koa-static'
import { expect, it, onTestFinished, vi } from 'vitest'
import { patterned, settledFile, temporaryDirectory } from './files.ts'
import { ask, open, serve } from './server.ts'

// Jest runs the modules of a test in a context of its own: their Error, Promise and Object are not those of Node's modules.

/** Loads the CommonJS build in a new context. */
function loadInContext(): typeof import('koa-range-stream') {
  const timers = { setTimeout, clearTimeout, setInterval, clearInterval }
  const context = vm.createContext({ Buffer, process, performance, ...timers })
  const loaded = new Map<string, { exports: unknown }>()
  function load(path: string): unknown {
    const known = loaded.get(path)
    if (known !== undefined) return known.exports
    const module = { exports: {} }
    loaded.set(path, module)
    const outside = createRequire(path)
    const require = (name: string) => (name.startsWith('node:') ? outside(name) : load(outside.resolve(name)))
    const parameters = ['module', 'exports', 'require', '__dirname']
    const options = { filename: path, parsingContext: context }
    vm.compileFunction(readFileSync(path, 'utf8'), parameters, options)(
      module,
      module.exports,
      require,
      dirname(path),
    )
    return module.exports
  }
  return load(createRequire(import.meta.url).resolve('koa-range-stream')) as typeof import('koa-range-stream')
}

/** Makes a call of `node:fs` fail until the test has finished. */
function fail(call: 'openSync' | 'readSync', code: string, syscall: string): void {
  const spy = vi.spyOn(fs, call).mockImplementation(() => {
    throw Object.assign(new Error(`${code}: ${syscall}`), { code, syscall })
  })
  onTestFinished(() => spy.mockRestore())
}

it('sends a content whose stream is a promise of another realm', async () => {
  const { serveContent } = loadInContext()
  const content = { size: 10, stream: async () => Readable.from([Buffer.from('0123456789')]) }
  const server = await serve((ctx) => serveContent(ctx, content))
  expect(await ask(server)).toMatchObject({ status: 200, text: '0123456789' })
})

it('reports no error of another realm when a client closes the connection in the body', async () => {
  const { rangeStream } = loadInContext()
  const directory = await temporaryDirectory()
  await settledFile(directory, 'a.bin', patterned(16 * 1024 * 1024))
  const closed: Promise<unknown>[] = []
  const server = await serve(
    (ctx, next) => {
      closed.push(once(ctx.res, 'close'))
      return next()
    },
    rangeStream(),
    serveStatic(directory),
  )
  const response = await open(server, { path: '/a.bin', headers: { range: 'bytes=1-' } })
  response.destroy()
  await Promise.all(closed)
  // Koa's on-finished reports the broken connection itself.
  const codes = () => server.errors.map((error) => ('code' in error ? error.code : error.message))
  await expect.poll(codes).toContain('ECONNRESET')
  expect(new Set(codes())).toEqual(new Set(['ECONNRESET']))
})

it('reports a failure to read a file with the code of another realm', async () => {
  fail('readSync', 'EIO', 'read')
  const { rangeStream } = loadInContext()
  const directory = await temporaryDirectory()
  await settledFile(directory, 'a.bin', patterned(1024 * 1024))
  const server = await serve(rangeStream(), serveStatic(directory))
  await expect(ask(server, { path: '/a.bin', headers: { range: 'bytes=1-' } })).rejects.toThrow()
  await expect.poll(() => server.errors).toContainEqual(expect.objectContaining({ code: 'EIO' }))
})

it('leaves a file to koa-static if opening it fails with an error of another realm', async () => {
  fail('openSync', 'EACCES', 'open')
  const { rangeStream } = loadInContext()
  const directory = await temporaryDirectory()
  await settledFile(directory, 'a.txt', '0123456789')
  const server = await serve(rangeStream(), serveStatic(directory))
  const reply = await ask(server, { path: '/a.txt', headers: { range: 'bytes=1-2' } })
  expect([reply.status, reply.text]).toEqual([200, '0123456789'])
})
