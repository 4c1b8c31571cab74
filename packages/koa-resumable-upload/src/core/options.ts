import type Koa from 'koa'
import type { StoredObject, UploadMetadata, UploadSession, UploadStore } from 'upload-store'
import { http2Stream, takesInterim } from '../http/connection.ts'
import type { UploadHooks, UploadIdentity, UploadTarget } from './hooks.ts'
import type { Limits } from './limits.ts'

/** `concatenate`: the upload becomes a part of another one (tus). */
export type UploadAction = 'create' | 'retrieve' | 'append' | 'cancel' | 'complete' | 'concatenate'

/** What the client declares of a new upload. */
export interface DeclaredUpload {
  /** Upload-Metadata of tus; the text is empty for a name without a value. `{}` in the draft, which has no such field. */
  readonly metadata: Readonly<Record<string, string>>
  /** Bytes of the whole upload; `null` if the client does not know it yet. */
  readonly length: number | null
}

export interface ResumableUploadOptions extends UploadHooks {
  /** Where uploads in progress have their URLs: `${path}/<id>` (/uploads). */
  readonly path?: string | undefined
  /**
   * Which requests may begin an upload, and of what; `null` leaves a request to the next middleware. Asked of OPTIONS
   * requests too, to tell the limits.
   */
  readonly resolveTarget: (
    ctx: Koa.Context,
    declared: DeclaredUpload,
  ) => UploadTarget | null | Promise<UploadTarget | null>
  /** Publishes an upload whose bytes are all there; a refusal of its own is the end of the upload (`session.commit()`). */
  readonly commit?: ((ctx: Koa.Context, session: UploadSession) => Promise<StoredObject>) | undefined
  /** Answers for a published upload, also when a client asks again (201, and the object as JSON). */
  readonly respond?:
    | ((ctx: Koa.Context, object: StoredObject, metadata: UploadMetadata) => void | Promise<void>)
    | undefined
  /** Throws where the client may not do this; what it throws is answered by its `status` (everybody may do everything). */
  readonly authorize?:
    | ((ctx: Koa.Context, action: UploadAction, upload: UploadIdentity) => void | Promise<void>)
    | undefined
  /**
   * Runs `receive`, which reads the content of one request; what it throws before that refuses the request, and what it
   * throws meanwhile ends it (says 100 to a client that waits for it).
   */
  readonly aroundBody?: ((ctx: Koa.Context, receive: () => Promise<void>) => Promise<void>) | undefined
  /**
   * Returns the metadata of the parts of a parallel upload (tus, "Concatenation"), for which `resolveTarget` is not called
   * ({}). For example the user, so that `authorize` can compare it.
   */
  readonly partMetadata?: ((ctx: Koa.Context) => UploadMetadata) | undefined
  /** The most bytes of one upload (the store's `maxFileSize`). */
  readonly maxSize?: number | undefined
  /** The most bytes of one request (none). */
  readonly maxAppendSize?: number | undefined
  /** The fewest bytes of one request that is not an upload's last (none). */
  readonly minAppendSize?: number | undefined
  /** How long an upload is said to be kept without a new byte, in ms (the store's option of that name). */
  readonly expireAfter?: number | undefined
  /** The same for an upload that has no byte at all (the store's option of that name). */
  readonly expireEmptyAfter?: number | undefined
}

/** The options with their defaults. */
export interface Settings {
  readonly store: UploadStore
  readonly path: string
  readonly expireAfter: number
  readonly expireEmptyAfter: number
  readonly limits: Limits
  readonly resolveTarget: ResumableUploadOptions['resolveTarget']
  readonly commit: NonNullable<ResumableUploadOptions['commit']>
  readonly respond: NonNullable<ResumableUploadOptions['respond']>
  readonly authorize: NonNullable<ResumableUploadOptions['authorize']>
  readonly aroundBody: NonNullable<ResumableUploadOptions['aroundBody']>
  readonly partMetadata: NonNullable<ResumableUploadOptions['partMetadata']>
  readonly hooks: UploadHooks
}

export function withDefaults(
  store: UploadStore,
  options: ResumableUploadOptions,
  defaultPath: string,
): Settings {
  const { path = defaultPath, expireAfter = store.limits.expireAfter } = options
  const { expireEmptyAfter = store.limits.expireEmptyAfter, maxSize = store.limits.maxFileSize } = options
  const { maxAppendSize, minAppendSize, onCreate, onComplete, onCommitted } = options
  return {
    store,
    path: path.replace(/\/+$/, ''),
    expireAfter,
    expireEmptyAfter: Math.min(expireAfter, expireEmptyAfter),
    limits: { maxSize: Number.isFinite(maxSize) ? maxSize : undefined, maxAppendSize, minAppendSize },
    resolveTarget: options.resolveTarget,
    commit: options.commit ?? ((_ctx, session) => session.commit()),
    respond: options.respond ?? respondWithJson,
    authorize: options.authorize ?? (() => {}),
    aroundBody: options.aroundBody ?? sayContinue,
    partMetadata: options.partMetadata ?? (() => ({})),
    hooks: { onCreate, onComplete, onCommitted },
  }
}

function respondWithJson(ctx: Koa.Context, { key, size, type, digest }: StoredObject): void {
  ctx.body = { key, size, type, digest }
  ctx.status = 201
}

async function sayContinue(ctx: Koa.Context, receive: () => Promise<void>): Promise<void> {
  // HTTP/1.0 has no 100, so that Expect is ignored there (RFC 9110 §10.1.1).
  const isWaiting = takesInterim(ctx) && /^100-continue$/i.test(ctx.get('Expect'))
  if (isWaiting && !hasSaidContinue(ctx)) ctx.res.writeContinue()
  await receive()
}

/** Node says it by itself where the app does not listen to checkContinue. */
function hasSaidContinue(ctx: Koa.Context): boolean {
  const stream = http2Stream(ctx)
  if (stream === null) return Reflect.get(ctx.res, '_sent100') === true
  return (stream.sentInfoHeaders ?? []).some((headers) => headers[':status'] === 100)
}
