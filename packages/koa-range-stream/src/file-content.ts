import type { BigIntStats } from 'node:fs'
import { constants } from 'node:fs'
import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { basename, resolve, sep } from 'node:path'
import type { Readable } from 'node:stream'
import type { ByteRange } from 'range-core'
import type { Content } from './content.ts'
import { FileStream } from './file-stream.ts'

/** A regular file as it was when it was described. */
export interface FileContent extends Content {
  /** @throws Error with code `CONTENT_CHANGED` when the file is no longer the one described */
  stream(range?: ByteRange): Promise<Readable>
}

export interface FileContentOptions {
  /** A directory that the file must lie in, symbolic links followed; `path` is then relative to it (none). */
  readonly root?: string | undefined
  /**
   * `'strong'`: from size, inode, mtime and ctime. `'size-mtime'`: from size and mtime in whole seconds, for identical
   * copies on several nodes. A function gives the whole field value, or `undefined` for none (`'strong'`).
   */
  readonly etag?: 'strong' | 'size-mtime' | ((stats: BigIntStats) => string | undefined) | undefined
}

/** The codes with which a path says that there is no file to serve. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'ERR_INVALID_ARG_VALUE'])

/** While a file changes, two contents may share every time stamp: the clock of a file system ticks every 4–10 ms. */
const SETTLED_AFTER = 50

/**
 * Describes a regular file without opening it.
 *
 * @param path a file; with `root`, relative to it
 * @returns `null` when there is no regular file of that name, or it lies outside `root`
 * @throws what `fs.stat` throws for other reasons, e.g. `EACCES`
 * @see RFC 9110 §8.8.1 for what makes a validator strong
 * @example
 * const content = await fileContent('clip.mp4', { root: '/srv/videos' })
 * if (content !== null) await serveContent(ctx, content)
 */
export async function fileContent(
  path: string,
  options: FileContentOptions = {},
): Promise<FileContent | null> {
  try {
    const file = await locate(path, options.root)
    if (file === null) return null
    const stats = await stat(file, { bigint: true })
    return stats.isFile() ? describe(file, basename(path), stats, options.etag ?? 'strong') : null
  } catch (error) {
    if (isAbsent(error)) return null
    throw error
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ABSENT.has(String(error.code))
}

/** The path with every symbolic link followed, or `null` when that leaves `root`. */
async function locate(path: string, root: string | undefined): Promise<string | null> {
  if (root === undefined) return path
  // `resolve` would drop it, and find the file where a directory was asked for.
  if (/[/\\]$/.test(path)) return null
  const top = await realpath(root)
  const inside = top.endsWith(sep) ? top : `${top}${sep}`
  const file = await realpath(resolve(inside, `.${sep}${path}`))
  return file.startsWith(inside) ? file : null
}

function describe(
  path: string,
  name: string,
  stats: BigIntStats,
  etag: NonNullable<FileContentOptions['etag']>,
): FileContent {
  const size = Number(stats.size)
  return {
    size,
    name,
    lastModified: Number(stats.mtimeMs),
    etag: typeof etag === 'function' ? etag(stats) : fileEtag(stats, etag),
    stream: async (range: ByteRange = { start: 0, end: size - 1 }) =>
      new FileStream(await openUnchanged(path, stats), range),
  }
}

function fileEtag(stats: BigIntStats, kind: 'strong' | 'size-mtime'): string {
  const hex = (value: bigint) => value.toString(16)
  if (kind === 'size-mtime') return `"${hex(stats.size)}-${hex(stats.mtimeNs / 1_000_000_000n)}"`
  const opaque = [stats.size, stats.ino, stats.mtimeNs, stats.ctimeNs].map(hex).join('-')
  // The weak tag is another one than the strong one to come: it must not revalidate what changed a moment later.
  return Math.abs(Date.now() - Number(stats.ctimeMs)) < SETTLED_AFTER ? `W/"${opaque}-w"` : `"${opaque}"`
}

async function openUnchanged(path: string, planned: BigIntStats): Promise<FileHandle> {
  // O_NONBLOCK: a FIFO that took the file's place would otherwise hold a thread of the pool until somebody writes to it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw isAbsent(error) ? contentChanged(path) : error
  })
  try {
    const current = await file.stat({ bigint: true })
    if (!isSame(planned, current)) throw contentChanged(path)
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return (
    a.ino === b.ino &&
    a.dev === b.dev &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs
  )
}

function contentChanged(path: string): Error {
  const message = `The file was changed, replaced or deleted between the plan and the opening: ${path}`
  return Object.assign(new Error(message), { code: 'CONTENT_CHANGED' })
}
