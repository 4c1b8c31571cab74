import type { IncomingMessage } from 'node:http'
import { finished } from 'node:stream/promises'
import createMulter from '@koa/multer'
import createError from 'http-errors'
import type Koa from 'koa'
import {
  callOnCommitted,
  callOnComplete,
  callOnCreate,
  requireUnreadBody,
  type UploadHooks,
  type UploadTarget,
} from 'koa-resumable-upload'
import { MulterError } from 'multer'
import {
  type IncomingFile,
  type MulterStorageEngine,
  multerStorage,
  type StoredFile,
  sanitizeKey,
  type UploadStore,
} from 'upload-store'
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

/** The file of a form, sealed and not yet committed, and what it was created for. */
interface ReceivedFile {
  readonly file: StoredFile
  readonly target: UploadTarget
}

type ReceiveForm = (ctx: Koa.Context) => Promise<ReceivedFile>

interface Transfer {
  readonly ctx: Koa.Context
  /** Set when the file's field has been found. */
  target?: UploadTarget
  /** Whether the file's field has been found yet. */
  seen: boolean
  readonly fail: (error: unknown) => void
}

/** `POST /video`: publishes the file of a form as a new video. */
export async function postVideo(
  ctx: Koa.Context,
  store: UploadStore,
  receive: ReceiveForm,
  hooks: UploadHooks,
): Promise<void> {
  const { file, target } = await receive(ctx)
  const { metadata = {} } = target
  await callOnComplete(hooks, ctx, file.session, metadata)
  const object = await publishAsNew(store, file.session, metadata)
  await callOnCommitted(hooks, ctx, object, metadata)
  // A browser without script shows the response, so it is sent to the page that plays the video.
  if (ctx.accepts('json', 'html') === 'html') seeOther(ctx, playPath(object.key))
  else answerStored(ctx, 201, object)
}

/**
 * Returns the function that receives one multipart form and resolves to its file, sealed and not yet committed.
 *
 * @param maxFileSize bytes
 */
export function formReceiver(store: UploadStore, maxFileSize: number, hooks: UploadHooks): ReceiveForm {
  const transfers = new WeakMap<IncomingMessage, Transfer>()
  const key = (_file: IncomingFile, request: IncomingMessage) => transfers.get(request)?.target?.key ?? ''
  const storage = reportingTo(transfers, multerStorage(store, { key }), hooks)
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
      transfers.set(ctx.req, { ctx, seen: false, fail: reject })
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
    return { file: parsedFile(ctx), target: transfers.get(ctx.req)?.target ?? { key: '' } }
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

/** Returns the engine with two additions: `onCreate` decides the target of the file, and its failure is reported at once. */
function reportingTo(
  transfers: WeakMap<IncomingMessage, Transfer>,
  engine: MulterStorageEngine,
  hooks: UploadHooks,
): MulterStorageEngine {
  return {
    ...engine,
    _handleFile: <Info extends object>(
      request: IncomingMessage,
      file: object,
      callback: (error?: unknown, info?: Info) => void,
    ) => {
      const transfer = transfers.get(request)
      const finish = (error?: unknown, info?: Info) => {
        if (error) transfer?.fail(error)
        callback(error, info)
      }
      if (transfer === undefined) return engine._handleFile<Info>(request, file, finish)
      transfer.seen = true
      const receive = () => engine._handleFile<Info>(request, file, finish)
      const { originalname, mimetype } = file as IncomingFile
      transfer.target = { key: sanitizeKey(originalname), type: mimetype }
      // Without the hook, a file needs no further turn of the event loop.
      if (hooks.onCreate === undefined) receive()
      else setTarget(transfer, transfer.target, file, hooks).then(receive, finish)
    },
  }
}

async function setTarget(
  transfer: Transfer,
  declared: UploadTarget,
  file: object,
  hooks: UploadHooks,
): Promise<void> {
  transfer.target = await callOnCreate(hooks, transfer.ctx, declared, null)
  Object.assign(file, { mimetype: transfer.target.type })
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
