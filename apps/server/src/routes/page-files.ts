import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import createError from 'http-errors'
import type Koa from 'koa'
import { type Content, serveContent } from 'koa-range-stream'
import { ConfigError } from '../config/values.ts'
import { pathParameter } from '../http/route-table.ts'

/** The build writes these beside a file where they are shorter; in the order of preference. */
const CODINGS = [
  { coding: 'br', extension: '.br' },
  { coding: 'gzip', extension: '.gz' },
] as const

interface PageFile {
  readonly identity: Content
  readonly encoded: readonly {
    readonly coding: (typeof CODINGS)[number]['coding']
    readonly content: Content
  }[]
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

/**
 * Returns the handler of `/page/*`, which sends the files of the built page from memory: they are few and small, and do not
 * change while the server runs.
 *
 * @throws ConfigError if the page has not been built
 */
export function pageFiles(): Koa.Middleware {
  files ??= readPage(builtPage())
  const page = files
  return function pageFiles(ctx) {
    const file = page.get(pathParameter(ctx.path))
    if (file === undefined) throw createError(404, 'There is no such file.')
    ctx.vary('Accept-Encoding')
    // Each coding alone against none, because clients list the ones that they accept in any order.
    const chosen = file.encoded.find(({ coding }) => ctx.acceptsEncodings(coding, 'identity') === coding)
    if (chosen !== undefined) ctx.set('Content-Encoding', chosen.coding)
    return serveContent(ctx, chosen?.content ?? file.identity, { cacheControl: 'no-cache' })
  }
}

/** Of this process, whose apps all have the same page. */
let files: ReadonlyMap<string, PageFile> | undefined

function readPage(directory: string): ReadonlyMap<string, PageFile> {
  const names = new Set(readdirSync(directory))
  const sources = [...names].filter((name) => !CODINGS.some(({ extension }) => name.endsWith(extension)))
  return new Map(
    sources.map((name) => {
      const encoded = CODINGS.filter(({ extension }) => names.has(name + extension)).map(
        ({ coding, extension }) => ({ coding, content: memoryContent(directory, name, extension) }),
      )
      return [name, { identity: memoryContent(directory, name), encoded }]
    }),
  )
}

/** @param extension of the file that has the content with a content coding */
function memoryContent(directory: string, name: string, extension = ''): Content {
  const path = join(directory, name + extension)
  const bytes = readFileSync(path)
  const digest = createHash('sha256').update(bytes).digest('base64url')
  return {
    name,
    size: bytes.length,
    // Each coding has its own, because it has its own bytes (RFC 9110 §8.8.3).
    etag: `"${digest}"`,
    lastModified: statSync(path).mtimeMs,
    stream: ({ start, end } = { start: 0, end: bytes.length - 1 }) =>
      Readable.from([bytes.subarray(start, end + 1)]),
  }
}
