import { type BigIntStats, closeSync, constants } from 'node:fs'
import type { Content, ContentStream } from '../content.ts'
import { contentChanged, textOf } from '../errors.ts'
import { acquire, acquireOpened, type Descriptor, evictAll } from './descriptors.ts'
import { type Awaitable, type FileSystem, fileSystems } from './file-system.ts'

/** Opening a FIFO, which may have replaced the file, would block until a writer opens it, if not for O_NONBLOCK. */
export const FLAGS: number = constants.O_RDONLY | constants.O_NONBLOCK

/**
 * The property of a content's stream that acquires the descriptor of a file with the same bytes. Registered, as one build
 * of this package, ESM or CommonJS, may serve the content of the other.
 */
export const ACQUIRE: unique symbol = Symbol.for('koa-range-stream/acquire/2')

interface FileBacked extends ContentStream {
  readonly [ACQUIRE]?: () => Awaitable<Descriptor>
}

/** Acquires the file to read in place of the stream; `null` if the content names no file. */
export function acquireFile({ stream, immutableFile, size }: Content): Awaitable<Descriptor | null> {
  const { [ACQUIRE]: acquireFound }: FileBacked = stream
  if (acquireFound !== undefined) return acquireFound()
  return immutableFile === undefined ? null : acquireImmutable(immutableFile, size)
}

/**
 * Returns a function that acquires the descriptor of the file that was found at `path`.
 *
 * The function throws an Error with code `CONTENT_CHANGED` if another file is there now, or the file has changed.
 */
export function acquirer(files: FileSystem, path: string, planned: BigIntStats): () => Awaitable<Descriptor> {
  // While it is open no other file can get its number, and whatever changes it or its permissions sets its ctime.
  const identity = `${files.kind}:${planned.dev}:${planned.ino}:${planned.ctimeNs}`
  const open = async () => {
    const fd = await openFile(files, path, FLAGS).catch((error: unknown) => {
      throw isAbsent(error) ? contentChanged(path) : error
    })
    return check(files, fd, (stats) => isSame(planned, stats) || contentChanged(path))
  }
  return () => acquire(identity) ?? open().then((fd) => acquireOpened(identity, fd, files))
}

/** Returns `null` for every failure: the stream then gives the content, or throws the reason. */
async function acquireImmutable(path: string, size: number): Promise<Descriptor | null> {
  try {
    const descriptor = acquire(path)
    if (descriptor !== null) return descriptor
    const fd = await openFile(fileSystems.local, path, FLAGS | constants.O_NOFOLLOW)
    const fits = (stats: BigIntStats) =>
      (stats.isFile() && stats.size === BigInt(size)) || new Error(`No file of ${size} bytes: ${path}`)
    return acquireOpened(path, await check(fileSystems.local, fd, fits), fileSystems.local)
  } catch {
    return null
  }
}

async function openFile(files: FileSystem, path: string, flags: number): Promise<number> {
  try {
    return await files.open(path, flags)
  } catch (error) {
    const code = textOf(error, 'code')
    if (code !== 'EMFILE' && code !== 'ENFILE') throw error
    evictAll()
    return files.open(path, flags)
  }
}

async function check(
  files: FileSystem,
  fd: number,
  accept: (stats: BigIntStats) => true | Error,
): Promise<number> {
  try {
    const verdict = accept(await files.fstat(fd))
    if (verdict !== true) throw verdict
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

export function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return (
    a.ino === b.ino &&
    a.dev === b.dev &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs
  )
}

/** The codes with which a path says that there is no file to serve. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'ERR_INVALID_ARG_VALUE'])

export function isAbsent(error: unknown): boolean {
  return ABSENT.has(textOf(error, 'code'))
}
