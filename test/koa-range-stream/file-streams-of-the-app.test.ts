import { execFile } from 'node:child_process'
import { once } from 'node:events'
import fs, { createReadStream, ReadStream } from 'node:fs'
import { open as openFile, symlink } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import gracefulFs from 'graceful-fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  changed,
  construct,
  expectAsKoaAlone,
  type MakeBody,
  opened,
  openOther,
  Shouting,
  serveRanges,
  shout,
  TEXT,
  textFile,
} from './as-koa-alone.ts'
import { ask } from './server.ts'

/** `createReadStream` with an option that its type does not have. */
function streamWith(options: Record<string, unknown>): MakeBody {
  return (path) => createReadStream(path, options)
}

function pushOnce(this: ReadStream): void {
  this.push('from the app')
  this.push(null)
}

function constructOther(this: ReadStream, callback: () => void): void {
  Object.assign(this, { fd: fs.openSync(import.meta.filename, 'r') })
  callback()
}

describe('rangeStream sends a file stream as Koa alone does', () => {
  it.each<[string, MakeBody]>([
    ['has a file system of its own', streamWith({ fs: { ...fs, open: openOther } })],
    ['has a copy of `fs`', streamWith({ fs: { ...fs } })],
    ['is of a subclass that transforms its data', (path) => construct(Shouting, path)],
    ['is of a subclass that changes nothing', (path) => construct(class extends ReadStream {}, path)],
    ['is of graceful-fs', (path) => gracefulFs.createReadStream(path)],
    ['got another prototype', (path) => Object.setPrototypeOf(createReadStream(path), Shouting.prototype)],
    ['has the option `read`', streamWith({ read: pushOnce })],
    ['has the option `construct`', streamWith({ construct: constructOther })],
    ['has an AbortSignal', streamWith({ signal: new AbortController().signal })],
    ['may write', streamWith({ flags: 'r+' })],
    ['has its path in a Buffer', (path) => createReadStream(Buffer.from(path))],
    ['is of a descriptor', (path) => createReadStream(path, { fd: fs.openSync(path, 'r') })],
    ['is of a FileHandle', async (path) => (await openFile(path)).createReadStream()],
    ['has an encoding', streamWith({ encoding: 'hex' })],
    ['got an encoding later', changed((stream) => stream.setEncoding('base64'))],
    ['has a start', streamWith({ start: 2 })],
    ['has an end', streamWith({ end: 7 })],
    ['is paused', changed((stream) => stream.pause())],
    ['got bytes put back', changed((stream) => stream.unshift(Buffer.from('before ')))],
    ['has a listener to its end', changed((stream) => stream.on('end', () => {}))],
    [
      'was read from',
      changed(async (stream) => {
        await once(stream, 'readable')
        stream.read(3)
      }),
    ],
    ['has a `_read` of its own', changed((stream) => Object.assign(stream, { _read: pushOnce }))],
    [
      'has a `push` of its own',
      changed((stream) => {
        const { push } = stream
        stream.push = (chunk) => push.call(stream, shout(chunk))
      }),
    ],
    [
      'has a `pipe` of its own',
      changed((stream) => {
        stream.pipe = (target) => construct(Shouting, stream.path).pipe(target)
      }),
    ],
    [
      'has an async iterator of its own',
      changed((stream) =>
        Object.assign(stream, {
          async *[Symbol.asyncIterator]() {
            yield 'other'
          },
        }),
      ),
    ],
  ])('that %s', async (_what, body) => {
    await expectAsKoaAlone(body)
  })

  it('that began as another position of its descriptor', async () => {
    const { text } = await expectAsKoaAlone((path) => {
      const fd = fs.openSync(path, 'r')
      fs.readSync(fd, Buffer.alloc(3))
      return createReadStream(path, { fd })
    })
    expect(text).toBe(TEXT.slice(3))
  })

  it('after `fs.open` was replaced', async () => {
    const { open } = fs
    onTestFinished(() => {
      fs.open = open
    })
    Object.assign(fs, { open: openOther })
    const { text } = await expectAsKoaAlone(createReadStream)
    expect(text).toMatch(/openOther/)
  })

  it('after a method of `fs.ReadStream` was replaced', async () => {
    const { push } = ReadStream.prototype
    onTestFinished(() => {
      Reflect.deleteProperty(ReadStream.prototype, 'push')
    })
    ReadStream.prototype.push = function (chunk) {
      return push.call(this, shout(chunk))
    }
    expect((await expectAsKoaAlone(createReadStream)).text).toBe('xxxxxxxxxx')
  })

  it.each(['before', 'after'])(
    'after graceful-fs has replaced the streams of `fs`, %s it was loaded',
    async (when) => {
      const script = `
      import fs from 'node:fs'
      import gracefulFs from 'graceful-fs'
      import Koa from 'koa'
      import serveStatic from 'koa-static'
      if ('${when}' === 'before') gracefulFs.gracefulify(fs)
      const { rangeStream } = await import('koa-range-stream')
      if ('${when}' === 'after') gracefulFs.gracefulify(fs)
      const app = new Koa().use(rangeStream()).use(serveStatic(process.argv[1]))
      const server = app.listen(0, '127.0.0.1', async () => {
        const url = 'http://127.0.0.1:' + server.address().port + '/a.txt'
        const response = await fetch(url, { headers: { range: 'bytes=4-6' } })
        process.stdout.write(response.status + ' ' + await response.text())
        process.exit()
      })`
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--input-type=module', '--eval', script, dirname(await textFile())],
        { cwd: import.meta.dirname },
      )
      expect(stdout).toBe(`200 ${TEXT}`)
    },
  )
})

describe('rangeStream serves ranges of a file stream', () => {
  it.each<[string, MakeBody]>([
    ['of a path', createReadStream],
    ['of a URL', (path) => createReadStream(pathToFileURL(path))],
    ['of a relative path', (path) => createReadStream(relative(process.cwd(), path))],
    ['that is open', opened(() => {})],
    ['with a start of 0', streamWith({ start: 0 })],
    ['with a highWaterMark', streamWith({ highWaterMark: 1 })],
    ['whose closing the app listens to', changed((stream) => stream.on('close', () => {}))],
    [
      'of a symbolic link',
      async (path) => {
        const link = `${path}.link`
        await symlink(path, link).catch(() => {})
        return createReadStream(link)
      },
    ],
  ])('%s', async (_what, body) => {
    const server = await serveRanges(await textFile(), body)
    const part = await ask(server, { headers: { range: 'bytes=4-6' } })
    expect([part.status, part.text, part.headers['content-range']]).toEqual([206, '456', 'bytes 4-6/10'])
    expect(await ask(server)).toMatchObject({ status: 200, text: TEXT })
  })
})
