import type { Readable } from 'node:stream'
import type Koa from 'koa'
import {
  objectMetadata,
  type SealedUpload,
  type StoredObject,
  type UploadMetadata,
  type UploadSession,
} from 'upload-store'

/** What a request to begin an upload is for. */
export interface UploadTarget {
  /** The key that the upload will be published under. */
  readonly key: string
  /** The media type of the content, as declared (application/octet-stream). */
  readonly type?: string | undefined
  /**
   * Stored with the upload and with its object. Names that contain a dot stay with the upload; those that begin with
   * `upload.` or `tus.` are reserved (none).
   */
  readonly metadata?: UploadMetadata | undefined
}

export interface UploadIdentity {
  readonly key: string
  readonly metadata: UploadMetadata
}

/** A new upload, before it is created. */
export interface CreatedUpload extends UploadIdentity {
  /** The media type of the content, as declared; `undefined` if it is not. */
  readonly type?: string | undefined
  /** Bytes of the whole upload; `null` if the client does not know it yet. */
  readonly length: number | null
}

/** An upload with all its bytes, before its object is visible. */
export interface CompletedUpload extends UploadIdentity, SealedUpload {
  /** Opens all bytes, for example for a virus scan. */
  stream(): Promise<Readable>
}

/**
 * Functions of the app that are called in the life of an upload, the same for each protocol. They see the app's own metadata:
 * that of `resolveTarget` and `onCreate`, without the entries whose names contain a dot.
 */
export interface UploadHooks {
  /**
   * Called before an upload is created, with its target. If it throws, the upload is refused with the `status` of the error.
   * What it returns replaces the key, the type or the metadata (none).
   */
  readonly onCreate?:
    | ((
        ctx: Koa.Context,
        upload: CreatedUpload,
      ) => Partial<UploadTarget> | undefined | Promise<Partial<UploadTarget> | undefined>)
    | undefined
  /**
   * Called when all bytes are stored and before the object is visible, with size, type and digest. If it throws, the upload is
   * refused, and its bytes are removed if the status is 4xx. They stay for a later request after 401, 403, 408, 409, 421, 423,
   * 425, 429 and any other error (none).
   */
  readonly onComplete?: ((ctx: Koa.Context, upload: CompletedUpload) => void | Promise<void>) | undefined
  /**
   * Called when the object is visible and durable. An error is emitted on the app, and the upload succeeds all the same. It is
   * called at most once per object, and not at all if the process ends right after the commit (none).
   */
  readonly onCommitted?:
    | ((ctx: Koa.Context, object: StoredObject, metadata: UploadMetadata) => void | Promise<void>)
    | undefined
}

/** Returns the target with the changes of `onCreate`. Entries of its metadata whose names contain a dot stay. */
export async function callOnCreate(
  { onCreate }: UploadHooks,
  ctx: Koa.Context,
  target: UploadTarget,
  length: number | null,
): Promise<UploadTarget> {
  if (onCreate === undefined) return target
  const { key, type, metadata = {} } = target
  const changes = await onCreate(ctx, { key, type, metadata: objectMetadata(metadata), length })
  if (changes?.metadata === undefined) return { ...target, ...changes }
  const own = Object.entries(metadata).filter(([name]) => name.includes('.'))
  return { ...target, ...changes, metadata: { ...Object.fromEntries(own), ...changes.metadata } }
}

/**
 * Calls `onComplete` with the sealed upload.
 *
 * @param metadata that of the upload
 * @throws what `onComplete` throws to refuse the upload
 */
export async function callOnComplete(
  { onComplete }: UploadHooks,
  ctx: Koa.Context,
  session: UploadSession,
  metadata: UploadMetadata,
): Promise<void> {
  if (onComplete === undefined) return
  const { key } = session
  const sealed = await session.seal()
  const stream = () => session.stream()
  await onComplete(ctx, { key, metadata: objectMetadata(metadata), ...sealed, stream })
}

/** Calls `onCommitted`. The object is stored, so its error is only emitted on the app. */
export async function callOnCommitted(
  { onCommitted }: UploadHooks,
  ctx: Koa.Context,
  object: StoredObject,
  metadata: UploadMetadata,
): Promise<void> {
  try {
    await onCommitted?.(ctx, object, objectMetadata(metadata))
  } catch (error) {
    ctx.app.emit('error', error, ctx)
  }
}
