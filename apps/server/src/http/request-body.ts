import createError from 'http-errors'
import type Koa from 'koa'
import { http2Stream } from 'koa-resumable-upload/http'
import type { UploadStore } from 'upload-store'
import { sendContinue } from './expect-continue.ts'
import { bodyWatch } from './slow-body.ts'

/** Room for the boundaries, field names and small fields around one file in a multipart body. */
export const FORM_OVERHEAD: number = 64 * 1024

const watch = bodyWatch()

export interface ExpectedBody {
  /** Bytes, `undefined` where the body comes in chunks. */
  readonly length: number | undefined
  /** Rejects with 408 when the client takes too long; race the reading of the body against it. */
  readonly tooSlow: Promise<never>
}

/**
 * Asks a waiting client for its body. Call it right before the body is read.
 *
 * @param maxLength bytes
 * @throws 413 if Content-Length is larger; StoreError NO_SPACE if the store has no space for that many bytes
 */
export async function expectBody(
  ctx: Koa.Context,
  store: UploadStore,
  maxLength: number,
): Promise<ExpectedBody> {
  const length = declaredLength(ctx)
  if (length !== undefined && length > maxLength) {
    throw createError(413, `The request has ${length} bytes; the limit is ${maxLength}. Send a smaller file.`)
  }
  await store.checkSpace(length)
  return { length, tooSlow: inTime(ctx) }
}

/** Asks a waiting client for its body, and rejects with 408 when it takes too long. */
export function inTime(ctx: Koa.Context): Promise<never> {
  sendContinue(ctx)
  const tooSlow = new Promise<never>((_, reject) => {
    watch(ctx.req, (reason) => reject(createError(408, reason)))
  })
  // The request may have ended, so that no caller waits for it.
  tooSlow.catch(() => {})
  return tooSlow
}

/** Bytes of the body by its header fields, `undefined` where they do not say. */
export function declaredLength(ctx: Koa.Context): number | undefined {
  const { 'transfer-encoding': coding, 'content-length': length } = ctx.headers
  if (coding !== undefined) return undefined
  // Node has checked that it is a number.
  if (length !== undefined) return Number(length)
  // Without both there is no body in HTTP/1 (RFC 9112 §6.3), and any in HTTP/2.
  return http2Stream(ctx)?.endAfterHeaders === false ? undefined : 0
}
