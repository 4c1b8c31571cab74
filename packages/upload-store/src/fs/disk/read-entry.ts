import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import { StoreError } from '../../contract/store-error.ts'
import { hasCode } from './files.ts'

/** Records, manifests and owner files have a few KiB. */
const MAX_LENGTH = 1024 ** 2

/**
 * Flags to open an entry that may have been replaced by any kind of file. O_NONBLOCK: opening a FIFO would otherwise
 * block a thread until a writer opens it too. O_NOFOLLOW: the store makes no symbolic links to files.
 */
export const READ_ENTRY: number = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW

/** Errors that concern one entry: its kind, its permissions or its blocks on the disk. */
const UNUSABLE = [
  'EACCES',
  'EBADMSG',
  'EIO',
  'EISDIR',
  'ELOOP',
  'ENODEV',
  'ENOTDIR',
  'ENXIO',
  'EPERM',
  'EUCLEAN',
]

/**
 * Whether an error means only that one entry cannot be used, and does not concern the process or the rest of the store.
 */
export function isUnusable(error: unknown): boolean {
  return hasCode(error, ...UNUSABLE) || error instanceof UnreadableEntry
}

/** Thrown if an entry cannot be read. Its content may still be intact. */
export class UnreadableEntry extends StoreError {
  constructor(reason: string, options?: ErrorOptions) {
    super('CORRUPT', reason, options)
  }
}

/** Returns one sentence, without the entry's path, that explains why the entry cannot be used. */
export function explainFailure(error: unknown): string {
  if (error instanceof StoreError) return error.message
  return `It cannot be read: ${error instanceof Error && 'code' in error ? error.code : error}.`
}

/**
 * Returns the text of a small regular file, or `null` if it does not exist.
 *
 * @throws UnreadableEntry
 */
export async function readText(path: string): Promise<string | null> {
  try {
    return await readOnce(path).catch((error) => readOnce(retriable(error, path)))
  } catch (error) {
    return nullIfMissing(error)
  }
}

async function readOnce(path: string): Promise<string> {
  const file = await open(path, READ_ENTRY)
  try {
    const buffer = Buffer.allocUnsafe(bufferLength(await file.stat()))
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}

/**
 * Like `readText`, but synchronous: for scans of many files, and for locks.
 *
 * @throws UnreadableEntry
 */
export function readTextSync(path: string): string | null {
  try {
    try {
      return readOnceSync(path)
    } catch (error) {
      return readOnceSync(retriable(error, path))
    }
  } catch (error) {
    return nullIfMissing(error)
  }
}

function readOnceSync(path: string): string {
  const descriptor = openSync(path, READ_ENTRY)
  try {
    const buffer = Buffer.allocUnsafe(bufferLength(fstatSync(descriptor)))
    return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, buffer.length, 0))
  } finally {
    closeSync(descriptor)
  }
}

/** Returns the path if the error is one that a disk may report once; throws other errors. */
function retriable(error: unknown, path: string): string {
  if (hasCode(error, 'EIO')) return path
  throw error
}

function bufferLength(stats: Stats): number {
  if (!stats.isFile()) throw new UnreadableEntry('It is not a regular file.')
  if (stats.size > MAX_LENGTH)
    throw new UnreadableEntry(`It has ${stats.size} bytes, more than ${MAX_LENGTH}.`)
  return stats.size
}

function nullIfMissing(error: unknown): null {
  if (hasCode(error, 'ENOENT')) return null
  if (!hasCode(error, ...UNUSABLE)) throw error
  throw new UnreadableEntry(explainFailure(error), { cause: error })
}
