import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import createError from 'http-errors'
import Koa from 'koa'
import mount from 'koa-mount'
import { fileContent, rangeStream } from 'koa-range-stream'
import serve from 'koa-static'
import { ConfigError } from '../config/values.ts'

export interface StaticOptions {
  readonly cacheControl: string
  /** Whether a file's .br or .gz beside it is sent in its place to those who accept that. */
  readonly precompressed: boolean
}

/**
 * Returns the folder of the page that Vite has built.
 *
 * @throws ConfigError if it has not, as the page would then work without its script, and look broken
 */
export function builtPage(): string {
  const script = fileURLToPath(new URL('../page/page.js', import.meta.url))
  if (statSync(script, { throwIfNoEntry: false }) !== undefined) return dirname(script)
  throw new ConfigError(
    `${dirname(script)} has no page.js: the page has not been built. Run \`npm run build\` in the repository.`,
  )
}

/** Returns koa-static under `prefix`, with ranges and a gate. `checkRoute` refuses other methods than GET and HEAD. */
export function staticFiles(
  prefix: string,
  root: string,
  { cacheControl, precompressed }: StaticOptions,
): Koa.Middleware {
  const files = serve(root, {
    index: false,
    brotli: precompressed,
    gzip: precompressed,
    setHeaders: (res) => res.setHeader('Cache-Control', cacheControl),
  })
  // Mounted as one, so that each request compares its path with the prefix once.
  const layers = new Koa()
  layers.use(gate(root))
  if (precompressed) layers.use(varyByEncoding())
  layers.use(rangeStream())
  layers.use(files)
  return mount(prefix, layers)
}

/**
 * Lets only regular files inside `root` through. koa-static opens whatever the path names, at once and past recall: four
 * requests for a FIFO would hold every file thread of the process, and a symbolic link may lead anywhere.
 */
function gate(root: string): Koa.Middleware {
  return async function gate(ctx, next) {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next()
    const content = await fileContent(decodeURIComponent(ctx.path), { root })
    if (content === null) throw createError(404, 'There is no such file.')
    await next()
  }
}

/** koa-static chooses by Accept-Encoding, and does not say so (RFC 9110 §12.5.5). */
function varyByEncoding(): Koa.Middleware {
  return function varyByEncoding(ctx, next) {
    ctx.vary('Accept-Encoding')
    return next()
  }
}
