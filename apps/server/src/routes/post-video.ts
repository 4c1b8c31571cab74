import type { IncomingMessage } from 'node:http'
import { finished } from 'node:stream/promises'
import createMulter from '@koa/multer'
import createError from 'http-errors'
import type Koa from 'koa'
import { requireUnreadBody } from 'koa-resumable-upload'
import { MulterError } from 'multer'
import { type MulterStorageEngine, multerStorage, type StoredFile, type UploadStore } from 'upload-store'
import { seeOther } from '../http/redirect.ts'
import { expectBody, FORM_OVERHEAD } from '../http/request-body.ts'
import { answerStored } from '../media/video-json.ts'
import { playPath } from '../shared/video.ts'
import { ContentDigests } from '../uploads/content-digests.ts'
import { publishAsNew } from '../uploads/publish.ts'
import { refuseEncoded, refuseParts } from '../uploads/refusals.ts'

/** The field that carries the video. */
const FIELD = 'file'

const LIMITS = {
  files: 1,
  fields: 20,
  parts: 21,
  fieldSize: FORM_OVERHEAD,
  fieldNameSize: 100,
  headerPairs: 20,
  fieldNestingDepth: 1,
  fieldArrayIndexLimit: 20,
}

type ReceiveForm = (ctx: Koa.Context) => Promise<StoredFile>

interface Transfer {
  /** Whether the file's field has been found yet. */
  seen: boolean
  readonly fail: (error: unknown) => void
}

/** `POST /video`: publishes the file of a form as a new video. */
export async function postVideo(ctx: Koa.Context, store: UploadStore, receive: ReceiveForm): Promise<void> {
  const { session } = await receive(ctx)
  const object = await publishAsNew(store, session)
  // A browser without script shows the response, so it is sent to the page that plays the video.
  if (ctx.accepts('json', 'html') === 'html') seeOther(ctx, playPath(object.key))
  else answerStored(ctx, 201, object)
}

/**
 * Returns the function that receives one multipart form and resolves to its file, sealed and not yet committed.
 *
 * @param maxFileSize bytes
 */
export function formReceiver(store: UploadStore, maxFileSize: number): ReceiveForm {
  const transfers = new WeakMap<IncomingMessage, Transfer>()
  const storage = reportingTo(transfers, multerStorage(store))
  const limits = { ...LIMITS, fileSize: maxFileSize }
  // Names are UTF-8; multer would read them as Latin-1.
  const parse = createMulter({ storage, limits, defParamCharset: 'utf8' }).single(FIELD)

  return async function receiveForm(ctx) {
    requireForm(ctx)
    refuseParts(ctx)
    refuseEncoded(ctx)
    requireUnreadBody(ctx.req)
    const digests = new ContentDigests(ctx.req)
    const { tooSlow } = await expectBody(ctx, store, maxFileSize + FORM_OVERHEAD)
    discardFields(ctx.req)
    const failed = new Promise<never>((_, reject) => {
      transfers.set(ctx.req, { seen: false, fail: reject })
    })
    // Of the form as it is sent, boundaries and all, beside what multer reads.
    if (digests.needContent) ctx.req.on('data', (chunk: Buffer) => digests.update(chunk))
    try {
      // multer reports a file's failure only after it has read the whole request, however long that is.
      await Promise.race([parse(ctx, async () => {}), failed, tooSlow])
      if (digests.needContent) await Promise.race([finished(ctx.req, { writable: false }), tooSlow])
    } catch (error) {
      throw toHttpError(error, transfers.get(ctx.req)?.seen === true)
    }
    digests.check()
    return parsedFile(ctx)
  }
}

/** @throws 415 */
function requireForm(ctx: Koa.Context): void {
  // multer takes any other body for a form without fields.
  if (/^multipart\/form-data\s*(?:;|$)/i.test(ctx.get('Content-Type'))) return
  throw createError(
    415,
    `Send the video as multipart/form-data in the field "${FIELD}", e.g. curl -F ${FIELD}=@clip.mp4.`,
  )
}

/**
 * Discards the value of each form field as soon as multer has checked it, because no handler uses it: 256 forms would keep
 * 300 MB in memory. multer sets `body` once, and then reads it for each field, to append the value to.
 */
function discardFields(req: IncomingMessage): void {
  let body: object | undefined
  Object.defineProperty(req, 'body', {
    configurable: true,
    get: () => body && Object.create(null),
    set: (value: object) => {
      body = value
    },
  })
}

/** @throws 400, 422 */
function parsedFile(ctx: Koa.Context): StoredFile {
  // multer ignores a body whose type it cannot read, without an error.
  if (!('body' in ctx.request))
    throw createError(
      400,
      'The Content-Type of the form has no valid boundary. Send multipart/form-data; boundary=….',
    )
  const file: unknown = ctx['file']
  if (!isStored(file)) throw missingFile('the form has none')
  return file
}

/** The engine, telling the request's transfer about each file at once. */
function reportingTo(
  transfers: WeakMap<IncomingMessage, Transfer>,
  engine: MulterStorageEngine,
): MulterStorageEngine {
  return {
    ...engine,
    _handleFile: <Info extends object>(
      request: IncomingMessage,
      file: object,
      callback: (error?: unknown, info?: Info) => void,
    ) => {
      const transfer = transfers.get(request)
      if (transfer !== undefined) transfer.seen = true
      engine._handleFile<Info>(request, file, (error, info) => {
        if (error) transfer?.fail(error)
        callback(error, info)
      })
    },
  }
}

function toHttpError(error: unknown, seen: boolean): unknown {
  const unexpected = error instanceof MulterError && error.code === 'LIMIT_UNEXPECTED_FILE'
  return unexpected && !seen ? missingFile(`the form has a file in "${error.field}" instead`) : error
}

function missingFile(found: string): Error {
  return createError(422, `The form needs the video in the field "${FIELD}"; ${found}.`)
}

function isStored(file: unknown): file is StoredFile {
  return typeof file === 'object' && file !== null && 'session' in file
}
