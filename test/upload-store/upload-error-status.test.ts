import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import express, { type ErrorRequestHandler } from 'express'
import multer from 'multer'
import { createMemoryStore, StoreError, type StoreErrorCode, uploadErrorStatus } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { serve } from '../support/app.ts'

const FORM = { 'content-type': 'multipart/form-data; boundary=b' }

/** What a real multer, with limits, says of a body. */
async function errorOf(
  body: string,
  limits: object,
  headers: Record<string, string> = FORM,
): Promise<unknown> {
  let error: unknown
  const receive = multer({ storage: multer.memoryStorage(), limits }).array('file', 5)
  const url = await serve((request, response) => {
    receive(request as express.Request, response as express.Response, (reason: unknown) => {
      error = reason
      response.end()
    })
  })
  await fetch(url, { method: 'POST', headers, body })
  return error
}

const field = (disposition: string, text = 'x') =>
  `--b\r\nContent-Disposition: form-data${disposition}\r\n\r\n${text}\r\n`
const named = (name: string, text?: string) => field(`; name="${name}"`, text)
const file = (name = 'file') => field(`; name="${name}"; filename="a"`)
const form = (...parts: string[]) => `${parts.join('')}--b--\r\n`

/** How to make multer say it, and what it means. */
const MULTER_CODES: readonly (readonly [
  code: string,
  status: number | null,
  limits: object,
  body: string,
])[] = [
  ['LIMIT_PART_COUNT', 413, { parts: 1 }, form(named('a'), named('b'))],
  ['LIMIT_FILE_SIZE', 413, { fileSize: 0 }, form(file())],
  ['LIMIT_FILE_COUNT', 413, { files: 1 }, form(file(), file())],
  ['LIMIT_FIELD_KEY', 400, { fieldNameSize: 3 }, form(named('long'))],
  ['LIMIT_FIELD_VALUE', 413, { fieldSize: 3 }, form(named('a', 'long'))],
  ['LIMIT_FIELD_COUNT', 413, { fields: 1 }, form(named('a'), named('b'))],
  ['LIMIT_UNEXPECTED_FILE', 400, {}, form(file('other'))],
  ['MISSING_FIELD_NAME', 400, {}, form(field(''))],
  ['LIMIT_FIELD_NESTING', 400, { fieldNestingDepth: 1 }, form(named('a[b][c]'))],
  ['LIMIT_FIELD_ARRAY_INDEX', 400, { fieldArrayIndexLimit: 20 }, form(named('a[21]'))],
  ['INVALID_FIELD_NAME', 400, {}, form(named('a[4294967294]'), named('a'))],
]

const STORE_CODES: readonly (readonly [StoreErrorCode, number])[] = [
  ['ABORTED', 409],
  ['CORRUPT', 500],
  ['DIGEST_MISMATCH', 400],
  ['INVALID_KEY', 400],
  ['NOT_FOUND', 404],
  ['NO_SPACE', 507],
  ['OFFSET_MISMATCH', 409],
  ['PRECONDITION_FAILED', 412],
  ['TOO_LARGE', 413],
  ['UNSUPPORTED_TYPE', 415],
]

describe('uploadErrorStatus', () => {
  it.each(MULTER_CODES)('%s of multer is %s', async (code, status, limits, body) => {
    const error = await errorOf(body, limits)
    expect(error).toMatchObject({ name: 'MulterError', code })
    expect(uploadErrorStatus(error)).toBe(status)
  })

  it("knows each of multer's codes", async () => {
    const path = createRequire(import.meta.url).resolve('multer/lib/multer-error.js')
    const codes = [...(await readFile(path, 'utf8')).matchAll(/^ {2}([A-Z_]+): '/gm)].map(([, code]) => code)
    expect(codes.sort()).toEqual([...MULTER_CODES.map(([code]) => code), 'STREAM_DESTROYED'].sort())
  })

  it.each([
    [400, 'Multipart: Boundary not found', '', { 'content-type': 'multipart/form-data' }],
    [400, 'Unexpected end of form', 'x', FORM],
    [400, 'Malformed part header', '--b\r\nContent-Disposition: \0\r\n\r\nx\r\n--b--', FORM],
    [415, 'Unsupported content type: multipart/mixed', '', { 'content-type': 'multipart/mixed' }],
  ])("is %i for the parser's %j", async (status, message, body, headers) => {
    const error = await errorOf(body, {}, headers)
    expect(error).toMatchObject({ message })
    expect(uploadErrorStatus(error)).toBe(status)
  })

  it("is 400 for a file's stream that is cut off, which only a storage engine hears", () => {
    expect(uploadErrorStatus(new Error('Unexpected end of file'))).toBe(400)
  })

  it.each(STORE_CODES)('%s of a store is %i', (code, status) => {
    expect(uploadErrorStatus(new StoreError(code, 'x'))).toBe(status)
    // As another copy of the package would throw it.
    expect(uploadErrorStatus({ name: 'StoreError', code, message: 'x' })).toBe(status)
  })

  it('is null for what it does not know', () => {
    const strange = [
      new Error('x'),
      new TypeError('Unexpected end of form'),
      Object.assign(new Error('x'), { code: 'NOT_FOUND' }),
      new multer.MulterError('toString' as 'LIMIT_FILE_SIZE'),
      'Unexpected end of form',
      null,
      undefined,
      { name: 5 },
    ]
    for (const error of strange) expect(uploadErrorStatus(error)).toBe(null)
  })

  it('is null for a client that went away', async () => {
    const errors: unknown[] = [new multer.MulterError('STREAM_DESTROYED' as 'LIMIT_FILE_SIZE')]
    const receive = multer({ storage: multer.memoryStorage() }).single('file')
    const url = await serve((request, response) => {
      receive(request as express.Request, response as express.Response, (error: unknown) =>
        errors.push(error),
      )
    })
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const head = `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${FORM['content-type']}\r\nContent-Length: 999`
    socket.write(`${head}\r\n\r\n${file()}`)
    setTimeout(() => socket.destroy(), 100)
    await expect.poll(() => errors.length).toBe(2)
    expect(errors[1]).toMatchObject({ message: 'Request aborted' })
    for (const error of errors) expect(uploadErrorStatus(error)).toBe(null)
  })

  it('answers for an Express app that knows nothing else', async () => {
    const store = createMemoryStore({ maxFileSize: 3 })
    const answer: ErrorRequestHandler = (error, _request, response, next) => {
      const status = uploadErrorStatus(error)
      if (status === null) return next(error)
      response.status(status).json({ title: error.message, status })
    }
    const app = express()
      .post('/form', multer({ limits: { files: 0 } }).single('file'), (_, response) => void response.end())
      .put('/:key', (request, response, next) => {
        store
          .put(request.params.key, request.iterator({ destroyOnReturn: false }))
          .then((object) => response.json(object), next)
      })
      .use(answer)
    const url = await serve(app)
    expect((await fetch(`${url}/form`, { method: 'POST', headers: FORM, body: form(file()) })).status).toBe(
      413,
    )
    expect((await fetch(`${url}/a`, { method: 'PUT', body: 'long' })).status).toBe(413)
    expect((await fetch(`${url}/a`, { method: 'PUT', body: 'abc' })).status).toBe(200)
  })
})
