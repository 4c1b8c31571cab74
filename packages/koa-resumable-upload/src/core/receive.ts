import type Koa from 'koa'
import { StoreError, type UploadSession } from 'upload-store'
import { bodyNotReceived, RefusedError, tooLong } from '../errors.ts'
import { http2Stream, isReset } from '../http/connection.ts'
import { requireUnreadBody } from '../http/consumed-body.ts'
import type { ContentDigest, Exchange, Known } from './exchange.ts'
import { giveUp } from './give-up.ts'

/** How long after the end of a cut-off body its reset may arrive, in ms: at most 13 in 2,000 trials on a busy machine. */
const RESET_DELAY = 50

export interface Reception {
  /** Creates or resumes the upload. */
  readonly open: () => Promise<UploadSession>
  readonly offset: number
  /** Of the whole upload, `null` where that is not known. */
  readonly length: number | null
  /** What errors tell besides the offset. */
  readonly known: () => Known
  /** Whether the client could come back to the upload. */
  readonly reachable: () => boolean
}

/**
 * Receives the content of a request. Returns `null` if that failed: then the request is answered, and the bytes that arrived
 * are kept.
 *
 * @throws BodyConsumedError, and other errors that are no refusal
 */
export async function receive(exchange: Exchange, reception: Reception): Promise<UploadSession | null> {
  const { ctx, settings, contentLength, onDurable } = exchange
  if (contentLength !== 0) requireUnreadBody(ctx.req)
  let opening: Promise<UploadSession> | undefined
  let refused = false
  try {
    const digest = exchange.contentDigest()
    const take = async () => {
      opening = reception.open()
      const session = await opening
      // The pause below may have come too early for it.
      if (refused) throw new StoreError('ABORTED', 'The request was refused in the meantime. Retry it.')
      // No progress is reported while a wrong digest may still discard the bytes.
      const options = digest === null ? { onDurable } : { verify: () => digest.verify() }
      await session.append(reception.offset, content(exchange, reception, digest), options)
    }
    await (contentLength === 0 ? take() : settings.aroundBody(ctx, take))
    if (opening === undefined) throw bodyNotReceived()
    return await opening
  } catch (error) {
    refused = true
    const session = (await opening?.catch(() => null)) ?? null
    await giveUp(exchange, session, error, reception.known(), reception.reachable())
    return null
  }
}

/** The content of the request, as long as it may get. */
async function* content(
  exchange: Exchange,
  { offset, length }: Reception,
  digest: ContentDigest | null,
): AsyncGenerator<Uint8Array> {
  const { ctx, contentLength } = exchange
  const { maxSize, maxAppendSize } = exchange.settings.limits
  let size = 0
  // Destroying the request would take the connection away that the answer is to go through.
  for await (const chunk of ctx.req.iterator({ destroyOnReturn: false })) {
    size += chunk.length
    if (length !== null && offset + size > length) {
      const { refusal, fatal } = exchange.beyondLength(length)
      throw new RefusedError(refusal, { fatal })
    }
    if (maxSize !== undefined && offset + size > maxSize) {
      const detail = `The upload is longer than the limit of ${maxSize} bytes. Send a smaller file.`
      throw new RefusedError(tooLong(detail, { final: true }), { fatal: true })
    }
    if (maxAppendSize !== undefined && size > maxAppendSize) {
      const detail = `The request is longer than the limit of ${maxAppendSize} bytes. Send the rest in further requests.`
      throw new RefusedError(tooLong(detail, { final: false }))
    }
    digest?.update(chunk)
    yield chunk
  }
  const short = contentLength !== null && size < contentLength
  if (short || (await isGivenUp(ctx, contentLength))) throw new Error('The client closed the connection.')
}

/**
 * Whether content of HTTP/2 that seems to have ended was cut off: Node's own client sends END_STREAM for a request that it
 * gives up, and RST_STREAM right behind it. Content-Length would tell; without one, a part would be published as the whole.
 */
async function isGivenUp(ctx: Koa.Context, contentLength: number | null): Promise<boolean> {
  const stream = http2Stream(ctx)
  if (stream === null) return false
  if (contentLength === null && !isReset(stream)) {
    await new Promise((resolve) => setTimeout(resolve, RESET_DELAY))
  }
  return isReset(stream)
}
