import { execFile } from 'node:child_process'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { REPOSITORY } from '../support/server.ts'
import { settledFile, temporaryDirectory } from './files.ts'

const run = async (cwd: string, ...args: readonly string[]) =>
  (await promisify(execFile)(process.execPath, args, { cwd })).stdout.trim()

/** An app in a process of its own: what enables sendfile, and what sends a file of 100,000 bytes, are of different builds. */
const APP = `
  const { once } = await import('node:events')
  const http = await import('node:http')
  const { createRequire } = await import('node:module')
  const require = createRequire(process.argv[1] + '/')
  const Koa = require('koa')
  const [enabling, sending] = process.argv[2].split('-')
  const load = (name, build) => (build === 'esm' ? import(name) : require(name))
  const { enableSendfile } = await load('koa-range-stream/sendfile', enabling)
  const { fileContent, serveContent } = await load('koa-range-stream', sending)
  const app = new Koa()
  app.use(async (ctx) => serveContent(ctx, await fileContent(process.argv[3])))
  const enabled = enableSendfile()
  const server = http.createServer(app.callback()).listen(0, '127.0.0.1')
  let socket
  server.on('connection', (connected) => { socket = connected })
  await once(server, 'listening')
  const response = await fetch('http://127.0.0.1:' + server.address().port)
  const { byteLength } = await response.arrayBuffer()
  // What Node itself counts does not include what the kernel sent.
  const byKernel = Object.hasOwn(socket, 'bytesWritten')
  console.log(JSON.stringify([enabled, byteLength, byKernel]))
  process.exit()`

it.runIf(process.platform === 'linux').each(['esm-esm', 'esm-cjs', 'cjs-esm', 'cjs-cjs'])(
  'is enabled for both builds of the package by either one (%s)',
  async (builds) => {
    const path = await settledFile(await temporaryDirectory(), 'clip.mp4', Buffer.alloc(100_000, 'x'))
    const flags = ['--input-type=module', '--eval', APP, import.meta.dirname, builds, path]
    expect(JSON.parse(await run(import.meta.dirname, ...flags))).toEqual([true, 100_000, true])
  },
)

it('returns false if koffi cannot be loaded, and files are described as before', async () => {
  const directory = await temporaryDirectory()
  const modules = join(directory, 'node_modules')
  for (const name of ['koa-range-stream', 'range-core']) {
    await mkdir(join(modules, name), { recursive: true })
    for (const part of ['package.json', 'dist'])
      await cp(join(REPOSITORY, 'packages', name, part), join(modules, name, part), { recursive: true })
  }
  // In place of none, because Node would also look for koffi in the folders above.
  await mkdir(join(modules, 'koffi'))
  await writeFile(join(modules, 'koffi/index.js'), "throw new Error('There is no koffi for this platform.')")
  const script = `
    const { enableSendfile } = require('koa-range-stream/sendfile')
    const { fileContent } = require('koa-range-stream')
    fileContent(process.execPath).then(({ size }) => console.log(enableSendfile(), size > 0))`
  expect(await run(directory, '-e', script)).toBe('false true')
})
