import type { IncomingMessage } from 'node:http'
import type Koa from 'koa'
import {
  callOnCommitted,
  callOnComplete,
  callOnCreate,
  requireUnreadBody,
  type UploadHooks,
} from 'koa-resumable-upload'
import type { StoredObject, UploadStore } from 'upload-store'
import type { Config } from '../config/config.ts'
import { isCutOff } from '../http/http2-stream.ts'
import { expectBody } from '../http/request-body.ts'
import { pathParameter } from '../http/route-table.ts'
import { maxUploadSize, sealWithinLimits } from '../media/captions.ts'
import { answerStored } from '../media/video-json.ts'
import { ContentDigests } from '../uploads/content-digests.ts'
import { objectBeforeUpload } from '../uploads/current-object.ts'
import { refuseEncoded, refuseParts } from '../uploads/refusals.ts'
import { writeConditions } from '../uploads/write-conditions.ts'

interface PutOutcome {
  readonly object: StoredObject
  /** Whether its key had no object before. */
  readonly created: boolean
}

/** `PUT /videos/:key`: creates or replaces the video if the request's preconditions hold. */
export async function putVideo(
  ctx: Koa.Context,
  store: UploadStore,
  { maxFileSize }: Config,
  hooks: UploadHooks,
): Promise<void> {
  const { object, created } = await receivePut(ctx, store, hooks, maxFileSize)
  await callOnCommitted(hooks, ctx, object, object.metadata)
  ctx.set('ETag', object.etag)
  answerStored(ctx, created ? 201 : 200, object)
}

/** @param maxFileSize bytes */
async function receivePut(
  ctx: Koa.Context,
  store: UploadStore,
  hooks: UploadHooks,
  maxFileSize: number,
): Promise<PutOutcome> {
  refuseParts(ctx)
  refuseEncoded(ctx)
  requireUnreadBody(ctx.req)
  const digests = new ContentDigests(ctx.req, ['sha-256'])
  const declared = { key: pathParameter(ctx.path), type: ctx.get('Content-Type') || undefined }
  const target = await callOnCreate(hooks, ctx, declared, ctx.request.length ?? null)
  const { key, type, metadata = {} } = target
  const current = await objectBeforeUpload(ctx, store, key)
  const conditions = writeConditions(ctx, current)
  const { length, tooSlow } = await expectBody(ctx, store, maxUploadSize(key, maxFileSize))
  const session = await store.createUpload(key, {
    type,
    digest: digests.sha256,
    expectedSize: length,
  })
  try {
    await Promise.race([session.append(0, digestedContent(ctx.req, digests)), tooSlow])
    // Else a part would be stored as if it were the whole.
    if (length === undefined && (await isCutOff(ctx))) throw new Error('Request aborted')
    const { digest } = await sealWithinLimits(session)
    digests.check(digest)
    await callOnComplete(hooks, ctx, session, metadata)
    return { object: await session.commit({ ...conditions, metadata }), created: current === null }
  } catch (error) {
    // Not waited for: it may have to wait for the disk, and what is wrong is known.
    session.abort().catch(() => {})
    throw digests.toHttpError(error)
  }
}

function digestedContent(req: IncomingMessage, digests: ContentDigests): AsyncIterable<Buffer> {
  // A refusal in mid-body must not destroy the request: its answer goes out on the same socket.
  const chunks: AsyncIterable<Buffer> = req.iterator({ destroyOnReturn: false })
  return digests.needContent ? passing(chunks, digests) : chunks
}

async function* passing(chunks: AsyncIterable<Buffer>, digests: ContentDigests): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    digests.update(chunk)
    yield chunk
  }
}
