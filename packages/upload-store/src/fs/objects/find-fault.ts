import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import type { BlobRecord } from '../../values/blob-record.ts'
import { hasCode } from '../disk/files.ts'
import { READ_ENTRY } from '../disk/read-entry.ts'

const READ_LENGTH = 1024 ** 2

/** Digests by inode, so that bytes shared by several blobs are read once. */
export type Reads = Map<string, { readonly digest: string; readonly size: number }>

/**
 * Returns one sentence that explains why the file at `path` does not hold the bytes of the object, or `null` if it
 * does.
 */
export async function findFault(
  path: string,
  { size, digest }: BlobRecord['object'],
  reads: Reads,
): Promise<string | null> {
  let file: FileHandle
  try {
    file = await open(path, READ_ENTRY)
  } catch (error) {
    return faultIn(error)
  }
  try {
    const stats = await file.stat({ bigint: true })
    if (!stats.isFile()) return 'Its blob is not a regular file.'
    // An inode number is reused after its file was removed.
    const identity = [stats.dev, stats.ino, stats.mtimeNs, stats.size].join()
    const found = reads.get(identity) ?? (await computeDigest(file))
    reads.set(identity, found)
    if (found.size !== size) return `It has ${found.size} bytes, and had ${size} when it was committed.`
    return found.digest === digest ? null : `The sha-256 of its bytes is ${found.digest}, and was ${digest}.`
  } catch (error) {
    return faultIn(error)
  } finally {
    await file.close()
  }
}

/**
 * Errors that mean that the bytes are lost. Others, for example those of an unmounted volume, do not concern the bytes.
 */
const LOST = ['EIO', 'EISDIR', 'EUCLEAN', 'EBADMSG', 'ELOOP', 'ENXIO', 'ESPIPE']

export function isLost(error: unknown): boolean {
  return hasCode(error, ...LOST)
}

/**
 * Returns the fault that the error describes.
 *
 * @throws errors that do not concern the bytes
 */
function faultIn(error: unknown): string {
  if (hasCode(error, 'ENOENT')) return 'Its bytes are missing.'
  if (!isLost(error)) throw error
  return `Its bytes cannot be read: ${error instanceof Error && 'code' in error ? error.code : error}.`
}

async function computeDigest(file: FileHandle): Promise<{ digest: string; size: number }> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(READ_LENGTH)
  for (let size = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, READ_LENGTH, size)
    if (bytesRead === 0) return { digest: hash.digest('hex'), size }
    hash.update(buffer.subarray(0, bytesRead))
    size += bytesRead
  }
}
