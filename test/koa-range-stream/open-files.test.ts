import { execFile } from 'node:child_process'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, symlink, truncate, unlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { rangeStream } from 'koa-range-stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { expectAsKoaAlone, type MakeBody, opened, serveRanges, TEXT, textFile } from './as-koa-alone.ts'
import { temporaryDirectory } from './files.ts'
import { ask, serve } from './server.ts'

async function replace(path: string): Promise<void> {
  await writeFile(`${path}.new`, 'abcdefghij')
  await rename(`${path}.new`, path)
}

async function makeFifo(path: string): Promise<void> {
  await promisify(execFile)('mkfifo', [path])
}

describe('rangeStream sends the file that the stream has open', () => {
  it.each<[string, MakeBody]>([
    ['it was deleted', opened(unlink)],
    ['its folder was deleted', opened((path) => rm(dirname(path), { recursive: true }))],
    ['another file has its name now', opened(replace)],
    ['a directory has its name now', opened((path) => unlink(path).then(() => mkdir(path)))],
    ['a FIFO has its name now', opened((path) => unlink(path).then(() => makeFifo(path)))],
    [
      'a symbolic link leads elsewhere now',
      async (path) => {
        const link = join(await temporaryDirectory(), 'link')
        await symlink(path, link)
        return opened(() => unlink(link).then(() => symlink(import.meta.filename, link)))(link)
      },
    ],
  ])('when %s', async (_what, body) => {
    expect((await expectAsKoaAlone(body)).text).toBe(TEXT)
  })

  it.skipIf(process.getuid?.() !== 0)('when its permission was dropped', async () => {
    const script = `
      import { once } from 'node:events'
      import { chmodSync, createReadStream } from 'node:fs'
      import Koa from 'koa'
      import { rangeStream } from 'koa-range-stream'
      const [, path] = process.argv
      const app = new Koa().use(rangeStream()).use(async (ctx) => {
        const stream = createReadStream(path)
        await once(stream, 'open')
        chmodSync(path, 0)
        process.setuid(65534)
        ctx.body = stream
      })
      const server = app.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const url = 'http://127.0.0.1:' + server.address().port
      const response = await fetch(url, { headers: { range: 'bytes=4-6' } })
      process.stdout.write(response.status + ' ' + await response.text())
      process.exit()`
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script, await textFile()],
      { cwd: import.meta.dirname },
    )
    expect(stdout).toBe(`200 ${TEXT}`)
  })
})

describe('rangeStream sends without ranges', () => {
  const PSEUDO = ['/sys/class/net/lo/address', '/proc/self/comm', '/proc/cpuinfo', '/dev/null']

  it.each(PSEUDO.filter(existsSync))('%s, whose size is not the stated one', async (path) => {
    const { text } = await expectAsKoaAlone(createReadStream, () => Promise.resolve(path))
    expect(text).toBe(await readFile(path, 'utf8'))
  })

  it('a FIFO', async () => {
    const { text } = await expectAsKoaAlone(createReadStream, async () => {
      const path = join(await temporaryDirectory(), 'fifo')
      await makeFifo(path)
      void writeFile(path, TEXT)
      return path
    })
    expect(text).toBe(TEXT)
  })

  it.each(['a directory', 'a socket'])('%s, which fails as it does in Koa alone', async (what) => {
    const path = join(await temporaryDirectory(), 'special')
    if (what === 'a directory') await mkdir(path)
    else {
      const socket = createServer()
      await new Promise<void>((resolve) => socket.listen(path, resolve))
      onTestFinished(() => void socket.close())
    }
    const server = await serveRanges(path, createReadStream)
    await expect(ask(server)).rejects.toThrow()
    const head = await ask(server, { method: 'HEAD' })
    expect([head.status, head.headers]).toEqual([
      200,
      expect.not.objectContaining({ 'accept-ranges': 'bytes' }),
    ])
  })
})

it('rangeStream serves ranges of a file that has only a hole', async () => {
  const path = await textFile('')
  await truncate(path, 10)
  const part = await ask(await serveRanges(path, createReadStream), { headers: { range: 'bytes=4-6' } })
  expect([part.status, part.text]).toEqual([206, '\0\0\0'])
})

describe('rangeStream over a stream that fails to open', () => {
  it.each([true, false])('answers 404 if there was no such file (autoDestroy: %s)', async (autoDestroy) => {
    const server = await serve(rangeStream(), async (ctx) => {
      const options = { emitClose: true, autoDestroy }
      const stream = createReadStream(join(await temporaryDirectory(), 'missing.mp4'), options)
      await new Promise((resolve) => stream.once('error', resolve))
      ctx.body = stream
    })
    expect((await ask(server)).status).toBe(404)
  })
})
