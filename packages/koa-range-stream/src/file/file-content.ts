import type { BigIntStats } from 'node:fs'
import { basename, resolve, sep } from 'node:path'
import type { Readable } from 'node:stream'
import type { ByteRange } from 'range-core'
import type { Content } from '../content.ts'
import { warnOnce } from '../errors.ts'
import { FileStream } from './file-stream.ts'
import { type FileSystem, fileSystems } from './file-system.ts'
import { LruMap } from './lru-map.ts'
import { ACQUIRE, acquirer, isAbsent, isSame } from './open-file.ts'

/** A regular file as it was when it was described. */
export interface FileContent extends Content {
  /** @throws Error with code `CONTENT_CHANGED` when the file is no longer the one described */
  readonly stream: (range?: ByteRange) => Promise<Readable>
}

export interface FileContentOptions {
  /** A directory that the file must lie in, symbolic links followed; `path` is then relative to it (none). */
  readonly root?: string
  /**
   * `'strong'`: from size, inode, mtime and ctime. `'size-mtime'`: from size and mtime in whole seconds, for identical
   * copies on several nodes. A function gives the whole field value, or `undefined` for none (`'strong'`).
   */
  readonly etag?: 'strong' | 'size-mtime' | ((stats: BigIntStats) => string | undefined) | undefined
  /**
   * `'network'`: waits for the file server on a thread, so that a slow one holds this request alone. On a local disk that
   * takes longer than asking it (`'local'`).
   */
  readonly fileSystem?: 'local' | 'network' | undefined
}

/** In ms. Two contents may share a time stamp for as long: the clock of a file system ticks every 4–10 ms. */
const TICK = 50
/** The same if time stamps have no fractions: some file systems keep whole seconds, and FAT keeps even ones. */
const COARSE_TICK = 2000 + TICK

/**
 * Describes a regular file without opening it.
 *
 * @param path a file; with `root`, relative to it
 * @returns `null` when there is no regular file of that name, or it lies outside `root`
 * @throws what `fs.stat` throws for other reasons, e.g. `EACCES`; TypeError when `root` is given and empty
 * @see RFC 9110 §8.8.1 for what makes a validator strong
 * @example
 * const content = await fileContent('clip.mp4', { root: '/srv/videos' })
 * if (content !== null) await serveContent(ctx, content)
 */
export async function fileContent(
  path: string,
  options: FileContentOptions = {},
): Promise<FileContent | null> {
  const files = fileSystems[options.fileSystem ?? 'local']
  // A variable that is not set must not give access to every file.
  if ('root' in options && !options.root) throw new TypeError('The option root is empty. Name a directory.')
  try {
    const file = options.root === undefined ? path : await locate(files, path, options.root)
    if (file === null) return null
    const stats = await files.stat(file)
    if (!stats.isFile()) return null
    return recall({ files, path: file, name: basename(path), stats, etag: options.etag ?? 'strong' })
  } catch (error) {
    if (isAbsent(error)) return null
    throw error
  }
}

/** The real paths of the latest roots, with a separator at the end: to follow a root's links takes as long as a `stat`. */
const realRoots = new LruMap<string, string>(100)

/** The path with every symbolic link followed, or `null` when that leaves `root`. */
async function locate(files: FileSystem, path: string, root: string): Promise<string | null> {
  // `resolve` would drop it, and find the file where a directory was asked for.
  if (/[/\\]$/.test(path)) return null
  const known = realRoots.get(root) ?? (await realRoot(files, root))
  const file = await files.realpath(resolve(root, `.${sep}${path}`))
  if (file.startsWith(known)) return file
  // A link in the path of the root may lead elsewhere now.
  return file.startsWith(await realRoot(files, root)) ? file : null
}

async function realRoot(files: FileSystem, root: string): Promise<string> {
  try {
    const top = await files.realpath(root)
    const inside = top.endsWith(sep) ? top : `${top}${sep}`
    realRoots.set(root, inside)
    return inside
  } catch (error) {
    if (isAbsent(error))
      warnOnce('MISSING_ROOT', `The root ${resolve(root)} does not exist. Create it, or correct the option.`)
    throw error
  }
}

/** A file that was found, and how it is described. */
export interface Found {
  readonly files: FileSystem
  readonly path: string
  readonly name: string
  readonly stats: BigIntStats
  readonly etag: NonNullable<FileContentOptions['etag']>
}

/** The latest description of each path: to repeat one takes as long as the `stat` that shows it to be unchanged. */
const descriptions = new LruMap<string, { readonly found: Found; readonly content: FileContent }>(1000)

/** Describes a file, or returns its latest description if nothing has changed. */
export function recall(found: Found): FileContent {
  const last = descriptions.get(found.path)
  if (last !== undefined && isAgain(last.found, found)) return last.content
  const content = describe(found)
  // A function may know better the next time, and a weak tag becomes a strong one.
  if (typeof found.etag === 'string' && !content.etag?.startsWith('W/')) {
    descriptions.set(found.path, { found, content })
  }
  return content
}

function isAgain(a: Found, b: Found): boolean {
  return a.files === b.files && a.name === b.name && a.etag === b.etag && isSame(a.stats, b.stats)
}

function describe({ files, path, name, stats, etag }: Found): FileContent {
  const size = Number(stats.size)
  const acquire = acquirer(files, path, stats)
  const stream = async (range: ByteRange = { start: 0, end: size - 1 }) =>
    new FileStream(await acquire(), [range])
  return Object.freeze({
    size,
    name,
    lastModified: Number(stats.mtimeMs),
    etag: typeof etag === 'function' ? etag(stats) : fileEtag(stats, etag),
    stream: Object.assign(stream, { [ACQUIRE]: acquire }),
  })
}

function fileEtag(stats: BigIntStats, kind: 'strong' | 'size-mtime'): string {
  const hex = (value: bigint) => value.toString(16)
  if (kind === 'size-mtime') {
    const seconds = stats.mtimeNs / SECOND
    return validator(`${hex(stats.size)}-${hex(seconds)}`, seconds * SECOND)
  }
  const opaque = [stats.size, stats.ino, stats.mtimeNs, stats.ctimeNs].map(hex).join('-')
  return validator(opaque, stats.ctimeNs)
}

const SECOND = 1_000_000_000n

/** A strong tag, or a weak one as long as another content of the file may get the same time stamp. */
function validator(opaque: string, changed: bigint): string {
  const age = Math.abs(Date.now() - Number(changed / 1_000_000n))
  // The two differ in their text: the weak tag must not revalidate content that changed a moment later.
  return age < (changed % SECOND === 0n ? COARSE_TICK : TICK) ? `W/"${opaque}-w"` : `"${opaque}"`
}
