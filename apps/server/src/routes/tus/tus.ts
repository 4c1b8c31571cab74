import { Server } from '@tus/server'
import createError from 'http-errors'
import type Koa from 'koa'
import { requireUnreadBody, tusDataStore } from 'koa-resumable-upload'
import { isClientGone, terminate } from 'koa-resumable-upload/http'
import { StoreError, sanitizeKey, type UploadStore } from 'upload-store'
import type { Config } from '../../config/config.ts'
import { seeOther } from '../../http/redirect.ts'
import { declaredLength } from '../../http/request-body.ts'
import { matchRoute, pathParameter } from '../../http/route-table.ts'
import { contentPath } from '../../media/video-json.ts'
import type { Metrics } from '../../observe/metrics.ts'
import { publishAsNew } from '../../uploads/publish.ts'
import { refuseEncoded } from '../../uploads/refusals.ts'
import type { Slots } from '../../uploads/slots.ts'
import { clientGroup, clientMetadata } from '../../uploads/upload-client.ts'
import { LazyContent } from './lazy-content.ts'
import { answerAs, webRequest } from './web-exchange.ts'

const VERSION = '1.0.0'

/** tus' server, and what it failed with: it answers by itself, without saying so. */
interface Tus {
  readonly server: Server
  readonly failures: WeakMap<object, unknown>
  /** The group of the client of each request. */
  readonly clients: WeakMap<object, string>
  readonly checksumAlgorithms: string
}

/** Uploads by tus 1.0: `POST /files`, and `HEAD`, `PATCH`, `DELETE` of `/files/:id`; `GET` leads to the video. */
export function tus(config: Config, store: UploadStore, slots: Slots, metrics: Metrics): Koa.Middleware {
  const protocol = createTus(config, store, metrics)
  return async function tus(ctx, next) {
    const pattern = matchRoute(ctx.path)?.pattern
    if (pattern !== '/files' && pattern !== '/files/:id') return next()
    if (ctx.method === 'GET') return redirect(ctx, store, pathParameter(ctx.path))
    if (ctx.method === 'OPTIONS') ctx.set('Tus-Checksum-Algorithm', protocol.checksumAlgorithms)
    else requireVersion(ctx)
    if (!hasContent(ctx)) return exchange(ctx, protocol, null)
    const content = new LazyContent(ctx, store, slots, config.maxFileSize)
    try {
      await exchange(ctx, protocol, content)
    } catch (error) {
      metrics.failed(ctx, error)
      throw error
    } finally {
      content.end()
    }
  }
}

function createTus({ maxFileSize }: Config, store: UploadStore, metrics: Metrics): Tus {
  const failures = new WeakMap<object, unknown>()
  const clients = new WeakMap<object, string>()
  const datastore = tusDataStore(store, {
    resolveTarget: (metadata) => ({
      key: sanitizeKey(metadata['filename'] ?? ''),
      metadata: clientMetadata(clients.get(metadata) ?? ''),
    }),
    commit: async (session) => {
      const object = await publishAsNew(store, session)
      metrics.committed()
      return object
    },
  })
  const { hooks, checksumAlgorithms } = datastore
  const server = new Server({
    path: '/files',
    datastore,
    ...hooks,
    // Right behind any proxy.
    relativeLocation: true,
    maxSize: maxFileSize,
    // The data store gets the metadata of an upload only, so that object carries the client of the request.
    onUploadCreate: async (request, upload) => {
      const metadata = { ...upload.metadata }
      clients.set(metadata, clients.get(request) ?? '')
      return { metadata }
    },
    onUploadFinish: async (_request, { id }) => {
      const object = (await store.getUpload(id))?.committed
      return object ? { headers: { 'Content-Location': contentPath(object.key) } } : {}
    },
    onResponseError: (request, error) => {
      failures.set(request, error)
      return hooks.onResponseError(request, error)
    },
  })
  return { server, failures, clients, checksumAlgorithms }
}

/** @throws 412 (tus 1.0, Tus-Resumable) */
function requireVersion(ctx: Koa.Context): void {
  ctx.set('Tus-Resumable', VERSION)
  if (ctx.get('Tus-Resumable') === VERSION) return
  ctx.set('Tus-Version', VERSION)
  throw createError(412, `This server supports only tus ${VERSION}. Send Tus-Resumable: ${VERSION}.`)
}

function hasContent(ctx: Koa.Context): boolean {
  if (ctx.method !== 'POST' && ctx.method !== 'PATCH') return false
  refuseEncoded(ctx)
  if (declaredLength(ctx) === 0) return false
  requireUnreadBody(ctx.req)
  return true
}

async function exchange(ctx: Koa.Context, tus: Tus, content: LazyContent | null): Promise<void> {
  const request = webRequest(ctx, content)
  tus.clients.set(request, clientGroup(ctx))
  const answering = tus.server.handleWeb(request)
  const response = await (content === null ? answering : Promise.race([answering, content.failed]))
  const failure = tus.failures.get(request)
  if (failure instanceof StoreError && failure.code === 'ABORTED') {
    // Another request continues the upload or has removed it, so this request is stale.
    terminate(ctx)
  }
  if (isClientGone(ctx)) ctx.respond = false
  // For the log.
  else if (response.status === 500) throw failure
  else await answerAs(ctx, response)
}

/** Where a client that has only the URL of its upload finds what it became. */
async function redirect(ctx: Koa.Context, store: UploadStore, id: string): Promise<void> {
  const object = (await store.getUpload(id))?.committed
  if (!object) throw createError(404, 'There is no completed upload of this name, or its record has expired.')
  seeOther(ctx, contentPath(object.key))
}
