import { type Exchange, limitFieldFor } from './answer.ts'

/** Tells what uploads may be like (§4.1.4), on a response to OPTIONS. */
export function announceLimits(exchange: Exchange): void {
  const { ctx } = exchange
  ctx.set('Upload-Limit', limitFieldFor(exchange))
  ctx.set('Accept-Patch', 'application/partial-upload')
}
