import type Koa from 'koa'
import { sanitizeKey, type UploadStore } from 'upload-store'
import { cancel } from '../core/cancel.ts'
import type { Exchange } from '../core/exchange.ts'
import { answeringErrors } from '../core/find-upload.ts'
import type { UploadTarget } from '../core/hooks.ts'
import {
  type DeclaredUpload,
  type ResumableUploadOptions,
  type Settings,
  withDefaults,
} from '../core/options.ts'
import { RefusedError, unknownUpload, wrongTusVersion } from '../errors.ts'
import { isUploadId } from '../http/upload-id.ts'
import { CHECKSUM_ALGORITHMS } from './checksum.ts'
import { handleAppend } from './handle-append.ts'
import { handleCreate } from './handle-create.ts'
import { handleHead } from './handle-head.ts'
import { tusMethodOverride } from './method-override.ts'
import { answerEmpty, TUS_VERSION, tusExchange } from './tus-exchange.ts'

/** Where uploads have their URLs is `/files` by default, and `resolveTarget` may be absent. */
export type TusUploadOptions = Omit<ResumableUploadOptions, 'resolveTarget'> &
  Partial<Pick<ResumableUploadOptions, 'resolveTarget'>>

const EXTENSIONS = [
  'creation',
  'creation-with-upload',
  'creation-defer-length',
  'termination',
  'expiration',
  'checksum',
  'checksum-trailer',
  'concatenation',
]

type Handle = (exchange: Exchange, id: string) => Promise<void>

const BY_ID: ReadonlyMap<string, Handle> = new Map([
  ['HEAD', handleHead],
  ['PATCH', handleAppend],
  ['DELETE', handleDelete],
])

/**
 * Returns middleware that receives uploads by tus 1.0: POST of `path` creates an upload, and HEAD, PATCH and DELETE of
 * `${path}/<id>` continue or end it. Requests with another path or method go to the next middleware.
 *
 * @see https://tus.io/protocols/resumable-upload (1.0.0)
 * @example
 * app.use(tusUpload(createFsStore('data'), { path: '/files', maxSize: 1024 ** 3 }))
 */
export function tusUpload(store: UploadStore, options: TusUploadOptions = {}): Koa.Middleware {
  const { resolveTarget = targetByMetadata } = options
  const settings = withDefaults(store, { ...options, resolveTarget }, '/files')
  const override = tusMethodOverride(settings.path)
  return function tusUpload(ctx, next) {
    return override(ctx, async () => {
      if (!(await answerUpload(ctx, settings))) await next()
    })
  }
}

/** Returns `false` if the request is not one of tus. */
async function answerUpload(ctx: Koa.Context, settings: Settings): Promise<boolean> {
  const id = uploadPath(ctx.path, settings.path)
  if (id === null) return false
  if (ctx.method === 'OPTIONS') {
    answerOptions(ctx, settings)
    return true
  }
  const creates = id === '' && ctx.method === 'POST'
  const handle: Handle | undefined = creates ? handleCreate : BY_ID.get(id === '' ? '' : ctx.method)
  if (handle === undefined) return false
  const exchange = tusExchange(ctx, settings)
  try {
    await answeringErrors(exchange, async () => {
      if (ctx.get('Tus-Resumable') !== TUS_VERSION) throw new RefusedError(wrongTusVersion(TUS_VERSION))
      if (id !== '' && !isUploadId(id)) throw new RefusedError(unknownUpload())
      await handle(exchange, id)
    })
  } catch (error) {
    keepVersion(error)
    throw error
  }
  return true
}

/** Returns the id that a path names, '' for the path that creates uploads, and `null` for paths of others. */
function uploadPath(requested: string | null, path: string): string | null {
  // Koa has no path for a request target like `http://`.
  if (requested === null) return null
  // The endpoints of clients may end in a slash, because that of tusd does.
  if (requested === path || requested === `${path}/`) return ''
  return requested.startsWith(`${path}/`) ? requested.slice(path.length + 1) : null
}

/** Koa removes the fields of a response when an error is thrown, except for those of the error. */
function keepVersion(error: unknown): void {
  if (typeof error !== 'object' || error === null) return
  const headers: unknown = Reflect.get(error, 'headers')
  Reflect.set(error, 'headers', { ...Object(headers ?? {}), 'Tus-Resumable': TUS_VERSION })
}

function answerOptions(ctx: Koa.Context, { limits }: Settings): void {
  ctx.set('Tus-Resumable', TUS_VERSION)
  ctx.set('Tus-Version', TUS_VERSION)
  ctx.set('Tus-Extension', EXTENSIONS.join(','))
  ctx.set('Tus-Checksum-Algorithm', CHECKSUM_ALGORITHMS)
  if (limits.maxSize !== undefined) ctx.set('Tus-Max-Size', String(limits.maxSize))
  answerEmpty(ctx, 204)
}

/** Answers DELETE (tus 1.0, "Termination"). */
async function handleDelete(exchange: Exchange, id: string): Promise<void> {
  if (await cancel(exchange, id)) answerEmpty(exchange.ctx, 204)
}

/** Metadata can hold anything, and the type is for a header field: line breaks must not get there. */
const MEDIA_TYPE = /^[\w.+-]{1,127}\/[\w.+-]{1,127}(?:;[\x20-\x7e]{0,255})?$/

/** Names the upload by `filename` and `filetype`, which clients of tus send. */
function targetByMetadata(_ctx: Koa.Context, { metadata }: DeclaredUpload): UploadTarget {
  const { filename, filetype } = metadata
  const type = MEDIA_TYPE.test(filetype ?? '') ? (filetype ?? undefined) : undefined
  return { key: sanitizeKey(filename ?? ''), type }
}
