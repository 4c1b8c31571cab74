import type Koa from 'koa'
import { parseHttpDate, type Representation } from 'range-core'
import { warnOnce } from './errors.ts'

/** The value of a field that is set already; Koa's own `get` is typed as a string and may give `undefined`. */
export function responseField({ res }: Koa.Context, name: string): string | undefined {
  const value = res.getHeader(name)
  return value === undefined ? undefined : String(value)
}

/**
 * The validators of a response: those that the app has set, else the content's.
 *
 * A weak tag, which @koa/etag gives every file, yields to a strong one, as If-Range never matches it: Chromium would load
 * all of a video again at each seek. A date or tag that is malformed stays as it is, and matches nothing.
 */
export function contentValidators(
  ctx: Koa.Context,
  content: Representation,
): Pick<Representation, 'etag' | 'lastModified'> {
  const date = responseField(ctx, 'Last-Modified')
  const tag = responseField(ctx, 'ETag')
  const used = tag ?? content.etag
  if (used?.endsWith('"') === false)
    warnOnce(
      'UNQUOTED_ETAG',
      `The ETag ${used} is not quoted, so it matches no request. Write it as '"${used}"'.`,
    )
  const isWeaker = isWeak(tag) && content.etag !== undefined && !isWeak(content.etag)
  return {
    etag: isWeaker ? content.etag : used,
    lastModified: date === undefined ? content.lastModified : (parseHttpDate(date) ?? undefined),
  }
}

function isWeak(tag: string | undefined): boolean {
  return tag?.startsWith('W/') ?? false
}

/** Whether the app has set Accept-Ranges to a list without bytes, such as `none` (RFC 9110 §14.3). */
export function refusesRanges(acceptRanges: string | undefined): boolean {
  return acceptRanges !== undefined && !/(?:^|[\s,])bytes(?:$|[\s,])/i.test(acceptRanges)
}
