import fs, { type BigIntStats, closeSync, ReadStream } from 'node:fs'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import type Koa from 'koa'
import { readers } from './descriptors.ts'
import { type FileContent, type FileContentOptions, recall } from './file-content.ts'
import { type FileSystem, fileSystems } from './file-system.ts'
import { FLAGS, isAbsent } from './open-file.ts'

/** What Node keeps on its file streams; only `path` and `bytesRead` are documented. */
type FileReadStream = ReadStream & {
  readonly fd?: unknown
  readonly flags?: unknown
  readonly pos?: unknown
  readonly end?: unknown
}

/**
 * The file that an untouched file stream of Node's sends from its first byte to its last, or `null` if that is uncertain.
 *
 * @throws a 404 if the stream itself fails because there is no such file: Koa 3 would end the connection instead
 */
export async function fileOfStream(
  ctx: Koa.Context,
  stream: FileReadStream,
  fileSystem: FileContentOptions['fileSystem'],
): Promise<FileContent | null> {
  const { path } = stream
  if (typeof path !== 'string' || !isNodesOwn(stream) || !isWhole(stream)) return null
  if (!stream.destroyed && stream.errored === null) {
    try {
      return await describe(fileSystems[fileSystem ?? 'local'], path, stream)
    } catch (error) {
      // The stream explains every other failure; it may also have opened the file before it was deleted.
      if (isAbsent(error) && stream.fd === null) await opened(stream)
    }
  }
  return isAbsent(stream.errored) ? ctx.throw(404) : null
}

async function describe(
  files: FileSystem,
  path: string,
  stream: FileReadStream,
): Promise<FileContent | null> {
  const stats = await files.stat(path)
  if (!stats.isFile()) return null
  if (typeof stream.fd === 'number' && !isSameFile(stats, await files.fstat(stream.fd))) return null
  if (stats.blocks === 0n && !(await hasStatedSize(files, path, Number(stats.size)))) return null
  return recall({ files, path, name: basename(path), stats, etag: 'strong' })
}

/** The stream may have opened a file that has been renamed or replaced since. */
function isSameFile(a: BigIntStats, b: BigIntStats): boolean {
  return a.ino === b.ino && a.dev === b.dev
}

/** Files of /proc state that they are empty, files of /sys that they have 4096 bytes; neither has blocks on a disk. */
async function hasStatedSize(files: FileSystem, path: string, size: number): Promise<boolean> {
  const fd = await files.open(path, FLAGS)
  const has = async (position: number) =>
    (await readers[files.kind](fd, Buffer.alloc(1), 0, 1, position)) === 1
  try {
    return !(await has(size)) && (size === 0 || (await has(size - 1)))
  } finally {
    closeSync(fd)
  }
}

function opened(stream: ReadStream): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['open', 'error', 'close']) stream.once(event, () => resolve())
  })
}

/** Node's prototype of file streams: graceful-fs and others put a subclass of it into `fs.ReadStream`. */
const nodesOwn = childOf(Readable.prototype, ReadStream.prototype)

function childOf(parent: object, prototype: object): object {
  const next: unknown = Object.getPrototypeOf(prototype)
  return next === parent || typeof next !== 'object' || next === null ? prototype : childOf(parent, next)
}

/** The methods that decide on the bytes of a stream, as Node has them. */
const methods = [
  '_construct',
  '_read',
  'open',
  'read',
  'push',
  'pipe',
  'on',
  'emit',
  Symbol.asyncIterator,
].map((name) => ({ name, method: Reflect.get(nodesOwn, name) as unknown }))

/** Both may be replaced later, and the stream would call what has replaced them. */
const { open, read } = fs

/** Whether nothing but Node itself, with its own `fs`, reads the stream's file. */
function isNodesOwn(stream: ReadStream): boolean {
  return (
    Object.getPrototypeOf(stream) === nodesOwn &&
    methods.every(({ name, method }) => Reflect.get(stream, name) === method) &&
    // The option `fs` is kept under a symbol that Node does not export.
    Object.getOwnPropertySymbols(stream).some((key) => Reflect.get(stream, key) === fs) &&
    fs.open === open &&
    fs.read === read
  )
}

/** Opened by name for reading, not yet read, and to be read as bytes from the first to the last. */
function isWhole(stream: FileReadStream): boolean {
  return (
    stream.flags === 'r' &&
    (stream.pos === undefined || stream.pos === 0) &&
    stream.end === Number.POSITIVE_INFINITY &&
    stream.bytesRead === 0 &&
    stream.readableLength === 0 &&
    stream.readableFlowing === null &&
    stream.readableEncoding === null &&
    !stream.readableDidRead &&
    // A listener to its end, an AbortSignal's for one, means this stream and not its file.
    stream.listenerCount('end') === 0
  )
}
