import type { ServerResponse } from 'node:http'
import createError from 'http-errors'
import type Koa from 'koa'
import mount from 'koa-mount'
import { type Content, type FileContent, fileContent, rangeStream, serveContent } from 'koa-range-stream'
import serve from 'koa-static'
import type { Config } from '../config/config.ts'
import { pathParameter } from '../http/route-table.ts'

/** How often a file is described again if it is replaced while it is opened. */
const ATTEMPTS = 3

/**
 * Returns the handler of `/assets/*`: koa-static with ranges, behind a gate that lets only regular files inside the root
 * through. koa-static opens whatever the path names, at once and past recall: four requests for a FIFO would hold every file
 * thread of the process, and a symbolic link may lead anywhere.
 *
 * The gate describes the file, and koa-static decides how that description is answered. While the file does not change, further
 * requests are answered from the description alone: koa-static would describe the file a second time, and create a stream
 * that is not read.
 */
export function assets({ assets: root, cacheControl }: Config): Koa.Middleware {
  const files = koaStatic(root, cacheControl)
  const ranges = rangeStream()
  /** What koa-static has answered, by the gate's description, which is the same object until the file changes. */
  const answered = new WeakMap<FileContent, Content>()
  async function send(ctx: Koa.Context, next: Koa.Next): Promise<void> {
    const found = await fileContent(pathParameter(ctx.path), { root })
    if (found === null) throw createError(404, 'There is no such file.')
    const known = answered.get(found)
    if (known !== undefined) return serveContent(ctx, known, { cacheControl })
    await ranges(ctx, async () => {
      await files(ctx, next)
      const type = ctx.response.get('Content-Type')
      if (ctx.body != null && type !== '') answered.set(found, { ...found, type })
    })
  }

  return async function assets(ctx, next) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await send(ctx, next)
      } catch (error) {
        if (!isContentChanged(error) || attempt === ATTEMPTS) throw error
      }
    }
  }
}

/** The file was replaced after it was described. */
function isContentChanged(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'CONTENT_CHANGED'
}

function koaStatic(root: string, cacheControl: string): Koa.Middleware {
  const options = {
    index: false as const,
    brotli: false,
    gzip: false,
    setHeaders: (res: ServerResponse) => res.setHeader('Cache-Control', cacheControl),
  }
  return mount('/assets', serve(root, options))
}
