import type Koa from 'koa'
import { resumableUpload, type UploadTarget } from 'koa-resumable-upload'
import {
  type CommitOptions,
  type StoredObject,
  sanitizeKey,
  type UploadMetadata,
  type UploadSession,
  type UploadStore,
} from 'upload-store'
import type { Config } from '../config/config.ts'
import { expectBody } from '../http/request-body.ts'
import { matchRoute, pathParameter, type RoutePattern } from '../http/route-table.ts'
import { sealWithinLimits } from '../media/captions.ts'
import { answerStored } from '../media/video-json.ts'
import type { Metrics } from '../observe/metrics.ts'
import { objectBeforeUpload } from '../uploads/current-object.ts'
import { uploadName } from '../uploads/file-name.ts'
import { publishAsNew } from '../uploads/publish.ts'
import { refuseContentRange, refuseEncoded } from '../uploads/refusals.ts'
import { limitUploads, type Slots } from '../uploads/slots.ts'
import { clientGroup, clientMetadata } from '../uploads/upload-client.ts'
import { writeConditions } from '../uploads/write-conditions.ts'

/** The routes that create an upload if the request has Upload-Complete, and their methods. */
const CREATED_BY: Readonly<Partial<Record<RoutePattern, 'POST' | 'PUT'>>> = {
  '/uploads': 'POST',
  '/video': 'POST',
  '/videos/:key': 'PUT',
}

/** Creates resumable uploads on the routes of `CREATED_BY`, and resumes them at `/uploads/:id`. */
export function resumable(
  config: Config,
  store: UploadStore,
  slots: Slots,
  metrics: Metrics,
): Koa.Middleware {
  const limited = limitUploads(slots, metrics)
  return resumableUpload(store, {
    resolveTarget: (ctx) => uploadTarget(ctx, store),
    commit: async (_ctx, session) => {
      const object = await publish(store, session)
      metrics.committed()
      return object
    },
    respond,
    aroundBody: (ctx, receive) =>
      Promise.resolve(limited(ctx, () => receiveInTime(ctx, store, config.maxFileSize, receive))),
    maxSize: config.maxFileSize,
  })
}

async function uploadTarget(ctx: Koa.Context, store: UploadStore): Promise<UploadTarget | null> {
  const { method, path } = ctx
  const pattern = matchRoute(path)?.pattern
  const created = pattern === undefined ? undefined : CREATED_BY[pattern]
  if (created === undefined || (method !== created && method !== 'OPTIONS')) return null
  const type = ctx.get('Content-Type') || undefined
  refuseContentRange(ctx)
  refuseEncoded(ctx)
  if (created === 'POST')
    return {
      key: sanitizeKey(uploadName(ctx.headers)),
      type,
      metadata: { ...clientMetadata(clientGroup(ctx)), way: 'post' },
    }
  const key = pathParameter(path)
  if (method === 'OPTIONS') return { key }
  const current = await objectBeforeUpload(ctx, store, key)
  const { ifMatch, ifNoneMatch } = writeConditions(ctx, current)
  const conditions = {
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
  }
  const client = clientMetadata(clientGroup(ctx))
  return { key, type, metadata: { ...client, way: 'put', replaces: current !== null, ...conditions } }
}

async function receiveInTime(
  ctx: Koa.Context,
  store: UploadStore,
  maxFileSize: number,
  receive: () => Promise<void>,
): Promise<void> {
  const { tooSlow } = await expectBody(ctx, store, maxFileSize)
  await Promise.race([receive(), tooSlow])
}

/** Publishes an upload as the request that created it demanded, whichever request completes it. */
async function publish(store: UploadStore, session: UploadSession): Promise<StoredObject> {
  if (session.metadata['way'] !== 'put') return publishAsNew(store, session)
  await sealWithinLimits(session)
  return session.commit(storedConditions(session.metadata))
}

function storedConditions({ ifMatch, ifNoneMatch }: UploadMetadata): CommitOptions {
  if (ifNoneMatch === '*') return { ifNoneMatch }
  return typeof ifMatch === 'string' ? { ifMatch } : {}
}

function respond(ctx: Koa.Context, object: StoredObject, { way, replaces }: UploadMetadata): void {
  if (way === 'put') ctx.set('ETag', object.etag)
  answerStored(ctx, replaces === true ? 200 : 201, object)
}
