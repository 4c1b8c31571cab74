import { type Exchange, limitFieldFor } from './answer.ts'

/** Announces the limits of uploads on a response to OPTIONS (§4.1.4). */
export function announceLimits(
  exchange: Exchange,
  { acceptsPatch }: { readonly acceptsPatch: boolean },
): void {
  const { ctx } = exchange
  ctx.set('Upload-Limit', limitFieldFor(exchange))
  if (acceptsPatch) ctx.set('Accept-Patch', 'application/partial-upload')
}
