import type Koa from 'koa'
import { resumableUpload, type UploadTarget } from 'koa-resumable-upload'
import {
  type CommitOptions,
  type StoredObject,
  sanitizeKey,
  type UploadMeta,
  type UploadSession,
  type UploadStore,
} from 'upload-store'
import { sealWithinLimits } from './captions.ts'
import type { Config } from './config.ts'
import type { Metrics } from './metrics.ts'
import { publishAsNew } from './publish.ts'
import { expectBody } from './request-body.ts'
import type { Slots } from './slots.ts'
import { refuseEncoded, refuseParts } from './upload-fields.ts'
import { uploadName } from './upload-name.ts'
import { uploadSlots } from './upload-slots.ts'
import { currentObject } from './uploads/current-object.ts'
import { videoJson, videoPath } from './video-json.ts'
import { writeConditions } from './write-conditions.ts'

/** Uploads that may be interrupted: `POST /video` and `PUT /videos/:key` with Upload-Complete, and `/uploads/:id`. */
export function resumable(
  config: Config,
  store: UploadStore,
  slots: Slots,
  metrics: Metrics,
): Koa.Middleware {
  const limited = uploadSlots(slots, metrics)
  return resumableUpload(store, {
    target: (ctx) => targetOf(ctx, store),
    commit: async (_ctx, session) => {
      const object = await publish(store, session)
      metrics.committed()
      return object
    },
    respond,
    receiving: (ctx, receive) =>
      Promise.resolve(limited(ctx, () => receiveInTime(ctx, store, config.maxFileSize, receive))),
    maxSize: config.maxFileSize,
  })
}

async function targetOf(ctx: Koa.Context, store: UploadStore): Promise<UploadTarget | null> {
  const { method, path } = ctx
  const type = ctx.get('Content-Type') || undefined
  if (path === '/video' && (method === 'POST' || method === 'OPTIONS')) {
    refuseEncoded(ctx)
    return { key: sanitizeKey(uploadName(ctx.headers)), type, meta: { way: 'post' } }
  }
  const [, name] = /^\/videos\/([^/]+)$/.exec(path) ?? []
  if (name === undefined || (method !== 'PUT' && method !== 'OPTIONS')) return null
  refuseParts(ctx)
  refuseEncoded(ctx)
  const key = decodeURIComponent(name)
  if (method === 'OPTIONS') return { key }
  const current = await currentObject(store, key)
  const { ifMatch, ifNoneMatch } = writeConditions(ctx, current)
  const conditions = {
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
  }
  return { key, type, meta: { way: 'put', replaces: current !== null, ...conditions } }
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

/** As the request that began it asked for, whoever completes it. */
async function publish(store: UploadStore, session: UploadSession): Promise<StoredObject> {
  if (session.meta['way'] !== 'put') return publishAsNew(store, session)
  await sealWithinLimits(session)
  return session.commit(conditionsOf(session.meta))
}

function conditionsOf({ ifMatch, ifNoneMatch }: UploadMeta): CommitOptions {
  if (ifNoneMatch === '*') return { ifNoneMatch }
  return typeof ifMatch === 'string' ? { ifMatch } : {}
}

function respond(ctx: Koa.Context, object: StoredObject, { way, replaces }: UploadMeta): void {
  ctx.status = replaces === true ? 200 : 201
  if (way === 'put') ctx.set('ETag', object.etag)
  ctx.set('Location', videoPath(object.key))
  ctx.body = videoJson(ctx, object)
}
