import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import Koa from 'koa'
import { resumableUpload, tusUpload } from 'koa-resumable-upload'
import { openTestStore } from '../support/test-store.mjs'
import { watchUploads } from '../support/watch-uploads.mjs'

// JavaScript, as a process of its own runs it as it is.

/** For the tests: answers when the upload has so many bytes, or when no request appends to it. */
const AWAITED = /^\/(accepted|ended)\/(?:uploads|tus)\/([\w-]+)\/(\d+)$/
const TARGET = /^\/videos\/([\w.-]+)$/

function keyOf(ctx) {
  return TARGET.exec(ctx.path)?.[1]
}

/** The app whose uploads are tested; what the middleware leaves to others is answered with `X-Plain` and the bytes' count. */
function createApp(store, uploads, { expireAfter, maxSize, maxAppendSize, minAppendSize }) {
  const app = new Koa()
  app.silent = true
  app.use(async (ctx, next) => {
    const [, state, id, bytes] = AWAITED.exec(ctx.path) ?? []
    if (state === undefined) return next()
    await (state === 'accepted' ? uploads.accepted(Number(bytes), id) : uploads.ended(id))
    ctx.status = 204
  })
  const limits = { expireAfter, maxSize, maxAppendSize, minAppendSize }
  const given = Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
  const authorize = (ctx, action) => {
    if (ctx.get('X-Refuse') === action) ctx.throw(403, `Not to be had: ${action}`)
  }
  app.use(tusUpload(store, { ...given, path: '/tus', authorize }))
  app.use(
    resumableUpload(store, {
      ...given,
      resolveTarget: (ctx) => {
        const key = ['POST', 'PUT', 'OPTIONS'].includes(ctx.method) ? keyOf(ctx) : undefined
        if (key === undefined) return null
        const type = ctx.get('Content-Type')
        return {
          key,
          metadata: { once: ctx.get('If-None-Match') === '*' },
          ...(type === '' ? {} : { type }),
        }
      },
      authorize,
      commit: (_, session) => session.commit(session.metadata.once ? { ifNoneMatch: '*' } : {}),
      respond: (ctx, { key, size, type, digest }) => {
        ctx.status = 201
        ctx.set('Location', `/videos/${key}`)
        ctx.body = { key, size, type, digest }
      },
    }),
  )
  app.use(async (ctx) => {
    if (keyOf(ctx) === undefined) return
    let size = 0
    for await (const chunk of ctx.req) size += chunk.length
    ctx.status = 200
    ctx.set('X-Plain', String(size))
  })
  return app
}

/** Koa and its middleware decide over 100 (Continue), not Node. */
async function listen(server, listener) {
  server.on('request', listener)
  server.on('checkContinue', listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server.address().port
}

export async function startUnderTest(directory, options = {}) {
  const { maxSize: maxFileSize, expireAfter } = options
  const store = openTestStore(directory, {
    ...(maxFileSize === undefined ? {} : { maxFileSize }),
    ...(expireAfter === undefined ? {} : { expireAfter }),
  })
  await store.recover()
  const listener = createApp(store, watchUploads(store), options).callback()
  const servers = [http.createServer(), http2.createServer()]
  const sessions = new Set()
  servers[1].on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
    session.on('error', () => {})
  })
  const [http1Port, http2Port] = await Promise.all(servers.map((server) => listen(server, listener)))
  return {
    store,
    ports: { 'HTTP/1.1': http1Port, 'HTTP/2': http2Port },
    close: async () => {
      for (const session of sessions) session.destroy()
      servers[0].closeAllConnections()
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
      await store.close()
    },
  }
}

// As a process of its own, and bundled, it is started with a directory.
if (/\/(?:under-test\.mjs|resumable-upload\/main\.js)$/.test(process.argv[1])) {
  const [directory, options] = process.argv.slice(2)
  const { ports } = await startUnderTest(directory, JSON.parse(options))
  console.log(JSON.stringify(ports))
}
