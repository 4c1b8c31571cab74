import { type FileHandle, open } from 'node:fs/promises'
import { READ_ENTRY } from '../disk/read-entry.ts'
import { isSameFile } from '../disk/stat-file.ts'
import { isLost } from './find-fault.ts'

/** The length of a block. A comparison uses two, so 256 uploads at once take 64 MiB. Larger blocks are not faster. */
const BLOCK_LENGTH = 128 * 1024

/**
 * Returns whether the file at `stored` has the same bytes as the one at `own`; `null` if `stored` cannot be opened for
 * a reason unrelated to its bytes, such as a lack of descriptors.
 *
 * Compares them byte by byte, because a hash runs on the event loop and takes longer. The bytes of `own` are in the
 * page cache.
 *
 * @throws what reading `own` throws
 */
export async function haveSameBytes(own: string, stored: string): Promise<boolean | null> {
  const storedFile = await open(stored, READ_ENTRY).catch((error: unknown) => (isLost(error) ? false : null))
  if (typeof storedFile !== 'object' || storedFile === null) return storedFile
  try {
    if (!(await storedFile.stat()).isFile()) return false
    const ownFile = await open(own, READ_ENTRY)
    try {
      return await compare(ownFile, storedFile)
    } finally {
      await ownFile.close()
    }
  } finally {
    await storedFile.close()
  }
}

async function compare(own: FileHandle, stored: FileHandle): Promise<boolean> {
  const [one, other] = await Promise.all([own.stat({ bigint: true }), stored.stat({ bigint: true })])
  if (isSameFile(one, other)) return true
  const [ours, theirs] = [Buffer.allocUnsafeSlow(BLOCK_LENGTH), Buffer.allocUnsafeSlow(BLOCK_LENGTH)]
  for (let position = 0; ; position += BLOCK_LENGTH) {
    const [length, storedLength] = await Promise.all([
      readBlock(own, ours, position),
      readBlock(stored, theirs, position).catch(noneIfLost),
    ])
    const isSame = length === storedLength && ours.subarray(0, length).equals(theirs.subarray(0, length))
    if (!isSame || length < BLOCK_LENGTH) return isSame
  }
}

/**
 * Reads until `buffer` is full or the file ends, because one read may return fewer bytes. Returns the number of bytes.
 */
async function readBlock(file: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let length = 0
  for (let read = -1; read !== 0 && length < buffer.length; length += read) {
    read = (await file.read(buffer, length, buffer.length - length, position + length)).bytesRead
  }
  return length
}

/** Returns -1, which equals no length, for bytes that the disk has lost. */
function noneIfLost(error: unknown): number {
  if (isLost(error)) return -1
  throw error
}
