import cors from '@koa/cors'
import type Koa from 'koa'
import type { Config } from '../config/config.ts'
import { parseOrigin } from './guards.ts'

/** Response fields that scripts of other origins may read. */
const EXPOSED = [
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Length',
  'Content-Location',
  'Content-Range',
  'ETag',
  'Last-Modified',
  'Location',
  'Repr-Digest',
  'Tus-Checksum-Algorithm',
  'Tus-Extension',
  'Tus-Max-Size',
  'Tus-Resumable',
  'Tus-Version',
  'Upload-Complete',
  'Upload-Defer-Length',
  'Upload-Draft-Interop-Version',
  'Upload-Expires',
  'Upload-Length',
  'Upload-Limit',
  'Upload-Metadata',
  'Upload-Offset',
  'X-Request-Id',
]

/** Allows the origins of `--cors-origin` to read and write. */
export function allowOrigins({ corsOrigin }: Config): Koa.Middleware {
  return cors({
    origin: ({ headers: { origin = '' } }) => {
      if (corsOrigin.includes('*')) return '*'
      return corsOrigin.includes(parseOrigin(origin)?.origin ?? '') ? origin : ''
    },
    allowMethods: 'GET,HEAD,POST,PUT,PATCH,DELETE',
    exposeHeaders: EXPOSED,
    maxAge: 600,
  })
}
