import type Koa from 'koa'
import type { ResumableUploadOptions, UploadHooks } from 'koa-resumable-upload'
import type { CommitOptions, StoredObject, UploadMetadata, UploadSession, UploadStore } from 'upload-store'
import type { Config } from '../config/config.ts'
import { expectBody } from '../http/request-body.ts'
import { sealWithinLimits } from '../media/captions.ts'
import { answerStored } from '../media/video-json.ts'
import type { Metrics } from '../observe/metrics.ts'
import { publishAsNew } from '../uploads/publish.ts'
import { refuseEncoded } from '../uploads/refusals.ts'
import { limitUploads, type Slots } from '../uploads/slots.ts'

export interface ResumableParts {
  readonly slots: Slots
  readonly metrics: Metrics
  readonly hooks: UploadHooks
}

/** What uploads by the IETF draft and by tus have in common. */
export function resumableOptions(
  { maxFileSize }: Config,
  store: UploadStore,
  { slots, metrics, hooks }: ResumableParts,
): Omit<ResumableUploadOptions, 'resolveTarget'> {
  const limited = limitUploads(slots, metrics)
  return {
    ...hooks,
    commit: async (_ctx, session) => {
      const object = await publish(store, session)
      metrics.committed()
      return object
    },
    respond,
    aroundBody: async (ctx, receive) => {
      refuseEncoded(ctx)
      await limited(ctx, () => receiveInTime(ctx, store, maxFileSize, receive))
    },
    maxSize: maxFileSize,
  }
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
  if (session.metadata['server.way'] !== 'put') return publishAsNew(store, session)
  await sealWithinLimits(session)
  return session.commit(storedConditions(session.metadata))
}

/** The conditions that `resumable.ts` has stored with the upload. */
function storedConditions(metadata: UploadMetadata): CommitOptions {
  const { 'server.ifMatch': ifMatch, 'server.ifNoneMatch': ifNoneMatch } = metadata
  if (ifNoneMatch === '*') return { ifNoneMatch }
  return typeof ifMatch === 'string' ? { ifMatch } : {}
}

function respond(ctx: Koa.Context, object: StoredObject, metadata: UploadMetadata): void {
  if (metadata['server.way'] === 'put') ctx.set('ETag', object.etag)
  answerStored(ctx, metadata['server.replaces'] === true ? 200 : 201, object)
}
