import type { IncomingHttpHeaders } from 'node:http'
import { booleanField, integerField } from './structured-fields.ts'

/** Media types of a piece of an upload, in the draft and in tus. */
const PIECES = new Set(['application/partial-upload', 'application/offset+octet-stream'])

/** Fields that only a request about a resumable upload has. */
const FIELDS = ['upload-offset', 'upload-defer-length', 'upload-concat', 'tus-resumable']

/**
 * Returns whether the content of a request may be only a part of what its client uploads: by the fields of the draft or of tus,
 * also if their values are malformed or contradictory, by Content-Range, or by its media type. A handler that publishes the
 * content of a request as a whole must refuse such a request.
 *
 * @example
 * router.put('/files/:name', (ctx) => {
 *   if (isPartialContent(ctx.headers)) ctx.throw(400, 'The content is only a part.')
 *   …
 * })
 */
export function isPartialContent(headers: IncomingHttpHeaders): boolean {
  const field = (name: string) => headers[name]?.toString()
  const [type = ''] = (headers['content-type'] ?? '').split(';')
  if (field('content-range') !== undefined || PIECES.has(type.trim().toLowerCase())) return true
  if (FIELDS.some((name) => field(name) !== undefined)) return true
  const [complete, incomplete] = [field('upload-complete'), field('upload-incomplete')]
  if (complete !== undefined && booleanField(complete) !== true) return true
  if (incomplete !== undefined && booleanField(incomplete) !== false) return true
  const length = field('upload-length')
  return length !== undefined && integerField(length) !== Number(headers['content-length'] ?? NaN)
}
