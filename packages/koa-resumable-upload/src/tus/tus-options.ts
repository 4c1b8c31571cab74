import { type StoredObject, sanitizeKey, type UploadSession } from 'upload-store'
import type { UploadTarget } from '../core/options.ts'
import type { TusMetadata } from './tus-upload.ts'

export interface TusOptions {
  /**
   * What an upload is for, by its Upload-Metadata; what it throws with `status_code` and `body` refuses the upload (`filename`
   * made a key, `filetype` the type).
   */
  readonly resolveTarget?: ((metadata: TusMetadata) => UploadTarget | Promise<UploadTarget>) | undefined
  /** Publishes a completely received upload (`session.commit()`). */
  readonly commit?: ((session: UploadSession) => Promise<StoredObject>) | undefined
  /** How long the store keeps an upload without a new byte, in ms: its own option of that name (24 h). */
  readonly expireAfter?: number | undefined
  /** The same for an upload that has no byte at all: the store's own option of that name (1 h). */
  readonly expireEmptyAfter?: number | undefined
}

export type TusSettings = { readonly [Name in keyof TusOptions]-?: NonNullable<TusOptions[Name]> }

const HOUR = 60 * 60 * 1000

export function withDefaults(options: TusOptions): TusSettings {
  const { expireAfter = 24 * HOUR, expireEmptyAfter = HOUR } = options
  return {
    resolveTarget: options.resolveTarget ?? resolveTarget,
    commit: options.commit ?? ((session) => session.commit()),
    expireAfter,
    expireEmptyAfter: Math.min(expireAfter, expireEmptyAfter),
  }
}

/** Metadata can hold anything, and the type is for a header field: line breaks must not get there. */
const MEDIA_TYPE = /^[\w.+-]{1,127}\/[\w.+-]{1,127}(?:;[\x20-\x7e]{0,255})?$/

/** By the names that clients use. */
function resolveTarget({ filename, filetype }: TusMetadata): UploadTarget {
  const type = MEDIA_TYPE.test(filetype ?? '') ? (filetype ?? undefined) : undefined
  return { key: sanitizeKey(filename ?? ''), type }
}
