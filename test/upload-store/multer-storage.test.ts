import { readdir } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import express from 'express'
import Koa from 'koa'
import multer, { type StorageEngine } from 'multer'
import {
  createFsStore,
  createMemoryStore,
  multerStorage,
  type StoredFile,
  storedFile,
  type UploadStore,
  uploadErrorStatus,
} from 'upload-store'
import { describe, expect, it } from 'vitest'
import { serve } from '../support/app.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const engineOf = (store: UploadStore): StorageEngine => multerStorage(store)
const fileOf = (request: unknown) => (request as { file?: StoredFile }).file
const filesOf = (request: unknown) => (request as { files?: readonly StoredFile[] }).files ?? []

function form(...files: (readonly [field: string, name: string, text: string])[]): FormData {
  const data = new FormData()
  for (const [field, name, text] of files) data.append(field, new Blob([text], { type: 'video/mp4' }), name)
  return data
}

/** What uploads have under way on the disk, their locks aside. */
async function stagedFiles(directory: string): Promise<string[]> {
  const names = await readdir(`${directory}/staging`)
  return names.filter((name) => !name.endsWith('.lock'))
}

async function eventuallyEmpty(directory: string): Promise<void> {
  await expect.poll(() => readdir(`${directory}/staging`), { timeout: 5000 }).toEqual([])
}

describe('multerStorage', () => {
  it('seals the file on Express and publishes nothing until the handler commits', async () => {
    const store = createMemoryStore()
    const app = express()
    app.post('/', multer({ storage: engineOf(store) }).single('file'), async (request, response) => {
      const file = fileOf(request)
      const before = await store.get('clip.mp4')
      const object = await file?.session.commit()
      response.json({ before, sealed: { size: file?.size, digest: file?.digest }, object })
    })
    const response = await fetch(await serve(app), {
      method: 'POST',
      body: form(['file', 'clip.mp4', 'hello']),
    })
    const answer = await response.json()
    expect(answer).toMatchObject({ before: null, sealed: { size: 5 }, object: { key: 'clip.mp4', size: 5 } })
    expect(answer.sealed.digest).toBe(answer.object.digest)
  })

  it('sets aside for each file of a form what the request has left, not its whole length', async () => {
    const store = createFsStore(await temporaryDirectory(), { maxTotalSize: 1_200_000 })
    const app = express()
    app.post('/', multer({ storage: engineOf(store) }).array('file'), async (request, response) => {
      const objects = await Promise.all(filesOf(request).map(({ session }) => session.commit()))
      response.json(objects.map(({ key, size }) => ({ key, size })))
    })
    const half = 'x'.repeat(500_000)
    const body = form(['file', 'a.mp4', half], ['file', 'b.mp4', half])
    const response = await fetch(await serve(app), { method: 'POST', body })
    expect(await response.json()).toEqual([
      { key: 'a.mp4', size: 500_000 },
      { key: 'b.mp4', size: 500_000 },
    ])
  })

  it.each(['Koa', 'Express'])(
    'removes what the handler did not commit once the response has ended, on %s',
    async (host) => {
      const directory = await temporaryDirectory()
      const upload = multer({ storage: engineOf(createFsStore(directory)) }).single('file')
      const staged: string[][] = []
      const url = await serve(host === 'Koa' ? koaListener() : expressListener())
      function koaListener(): RequestListener {
        const app = new Koa({ env: 'test' })
        app.silent = true
        app.use(async (ctx) => {
          await new Promise<void>((resolve, reject) => {
            upload(ctx.req as express.Request, ctx.res as express.Response, (error) =>
              error ? reject(error) : resolve(),
            )
          })
          staged.push(await stagedFiles(directory))
          throw new Error('the handler failed')
        })
        return app.callback()
      }
      function expressListener(): RequestListener {
        return express().post('/', upload, async (_request, response) => {
          staged.push(await stagedFiles(directory))
          response.sendStatus(500)
        })
      }
      const response = await fetch(url, { method: 'POST', body: form(['file', 'a.mp4', 'x']) })
      expect(response.status).toBe(500)
      expect(staged).toMatchObject([[expect.stringMatching(/\.part$/)]])
      await eventuallyEmpty(directory)
    },
  )

  it('removes the first file when a second one breaks a limit', async () => {
    const directory = await temporaryDirectory()
    const upload = multer({ storage: engineOf(createFsStore(directory)), limits: { files: 1 } }).any()
    const app = express().post('/', upload, (_request, response) => void response.sendStatus(200))
    app.use(((error, _request, response, _next) => {
      response.status(413).json({ code: error.code })
    }) satisfies express.ErrorRequestHandler)
    const body = form(['file', 'a.mp4', 'first'], ['file', 'b.mp4', 'second'])
    const response = await fetch(await serve(app), { method: 'POST', body })
    expect(await response.json()).toEqual({ code: 'LIMIT_FILE_COUNT' })
    await eventuallyEmpty(directory)
  })

  it("fails a file that breaks multer's own size limit instead of storing its beginning", async () => {
    const directory = await temporaryDirectory()
    const upload = multer({ storage: engineOf(createFsStore(directory)), limits: { fileSize: 3 } }).single(
      'file',
    )
    const app = express().post('/', upload, (_request, response) => void response.sendStatus(200))
    app.use(((_error, _request, response, _next) => {
      response.sendStatus(413)
    }) satisfies express.ErrorRequestHandler)
    const response = await fetch(await serve(app), { method: 'POST', body: form(['file', 'a.mp4', 'four']) })
    expect(response.status).toBe(413)
    await eventuallyEmpty(directory)
  })

  it('removes what arrived when the client goes away in mid-file', async () => {
    const directory = await temporaryDirectory()
    const upload = multer({ storage: engineOf(createFsStore(directory)) }).single('file')
    const failed = new Promise<unknown>((resolve) => {
      void serve((request, response) => {
        upload(request as express.Request, response as express.Response, resolve)
      }).then((url) => {
        const socket = connect(Number(new URL(url).port), '127.0.0.1')
        socket.write(
          'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n',
        )
        socket.write('--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\npartial')
        setTimeout(() => socket.destroy(), 100)
      })
    })
    expect(await failed).toBeInstanceOf(Error)
    await eventuallyEmpty(directory)
  })

  it('removes a file whose client goes away while it is being sealed', async () => {
    const directory = await temporaryDirectory()
    const detectType = () => new Promise<string>((resolve) => setTimeout(() => resolve('video/mp4'), 300))
    const upload = multer({ storage: engineOf(createFsStore(directory, { detectType })) }).single('file')
    const url = await serve((request, response) => {
      upload(request as express.Request, response as express.Response, () => {})
    })
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const body =
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\nwhole\r\n--b--\r\n'
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n${body}`,
    )
    await expect.poll(() => stagedFiles(directory)).toHaveLength(1)
    socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, 400))
    await eventuallyEmpty(directory)
  })

  it('derives a safe key from a hostile file name', async () => {
    const store = createMemoryStore()
    const upload = multer({ storage: engineOf(store), defParamCharset: 'utf8' } as multer.Options).single(
      'file',
    )
    const app = express().post('/', upload, async (request, response) => {
      response.json(await fileOf(request)?.session.commit())
    })
    const response = await fetch(await serve(app), {
      method: 'POST',
      body: form(['file', '..\\..\\видео\r\n.mp4', 'x']),
    })
    expect(await response.json()).toMatchObject({ key: 'видео.mp4' })
  })

  it.each([
    ['without a socket', {}],
    ['with a socket that is a plain object', { socket: { remoteAddress: '127.0.0.1' } }],
  ])('stores the file of a request %s, as tests and serverless adapters make them', async (_, parts) => {
    const store = createMemoryStore()
    const body =
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\nwhole\r\n--b--\r\n'
    const headers = {
      'content-type': 'multipart/form-data; boundary=b',
      'content-length': String(body.length),
    }
    const request = Object.assign(Readable.from([Buffer.from(body)]), { headers, method: 'POST', ...parts })
    const upload = multer({ storage: engineOf(store) }).single('file')
    const error = await new Promise<unknown>((resolve) => {
      upload(request as unknown as express.Request, {} as express.Response, resolve)
    })
    expect(error).toBe(undefined)
    expect(await fileOf(request)?.session.commit()).toMatchObject({ key: 'a.mp4', size: 5 })
  })
})

describe('storedFile', () => {
  /** An app without a handler for errors, which answers with the size of the file. */
  function listener(host: string): RequestListener {
    const upload = multer({ storage: multerStorage(createMemoryStore()) }).single('file')
    if (host === 'Express')
      return express().post('/', upload, (request, response) => {
        response.send(`${storedFile(request.file).size}`)
      })
    const app = new Koa()
    app.silent = true
    app.use(async (ctx) => {
      const request = ctx.req as express.Request
      await new Promise((resolve) => upload(request, ctx.res as express.Response, resolve))
      ctx.body = `${storedFile(request.file).size}`
    })
    return app.callback()
  }

  it.each(['Koa', 'Express'])('makes %s answer 422 to a form without a file', async (host) => {
    const url = await serve(listener(host))
    const fields = new FormData()
    fields.append('title', 'a')
    expect((await fetch(url, { method: 'POST', body: fields })).status).toBe(422)
    const sent = await fetch(url, { method: 'POST', body: form(['file', 'a.mp4', 'hello']) })
    expect([sent.status, await sent.text()]).toEqual([200, '5'])
  })

  it('throws an error whose code and statuses agree, and whose message says what to send', () => {
    let error: unknown
    try {
      storedFile(undefined)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'MISSING_FILE', status: 422, expose: true })
    expect(error).toHaveProperty('message', expect.stringContaining('multipart/form-data'))
    expect(uploadErrorStatus(error)).toBe(422)
  })

  it.each([[{ originalname: 'a.mp4', buffer: Buffer.from('a') }], [[]], [{ file: [] }], ['a.mp4']])(
    'throws a TypeError that names multerStorage for %j, which another engine or no engine made',
    (file) => {
      expect(() => storedFile(file)).toThrow(TypeError)
      expect(() => storedFile(file)).toThrow('multerStorage(store)')
    },
  )
})
