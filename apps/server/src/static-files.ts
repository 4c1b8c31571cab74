import { createRequire } from 'node:module'
import createError from 'http-errors'
import type Koa from 'koa'
import mount from 'koa-mount'
import { fileContent, rangeStream, serveContent } from 'koa-range-stream'
import serve from 'koa-static'

/** koa-static under `prefix`, with ranges, behind a gate. */
export function staticFiles(app: Koa, prefix: string, root: string, cacheControl: string): void {
  const files = serve(root, {
    index: false,
    // Nothing here has compressed siblings, and koa-static would serve them without Vary.
    brotli: false,
    gzip: false,
    setHeaders: (res) => res.setHeader('Cache-Control', cacheControl),
  })
  app.use(mount(prefix, gate(root)))
  app.use(mount(prefix, rangeStream()))
  app.use(mount(prefix, files))
}

/**
 * Lets only regular files inside `root` through. koa-static opens whatever the path names, at once and past recall: four
 * requests for a FIFO would hold every file thread of the process, and a symbolic link may lead anywhere.
 */
function gate(root: string): Koa.Middleware {
  return async function gate(ctx, next) {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      throw createError(405, 'Static files can only be read.', { headers: { Allow: 'GET, HEAD' } })
    }
    const content = await fileContent(decodeURIComponent(ctx.path), { root })
    if (content === null) throw createError(404, 'There is no such file.')
    await next()
  }
}

/** Answers with one file of an installed package, and with nothing else that lies there. */
export function packageFile(specifier: string): Koa.Middleware {
  const path = createRequire(import.meta.url).resolve(specifier)
  return async function packageFile(ctx) {
    const content = await fileContent(path)
    if (content === null) throw createError(404, 'There is no such file.')
    await serveContent(ctx, content, { cacheControl: 'no-cache' })
  }
}
