import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import type { BlobRecord } from '../blob-record.ts'
import { randomId } from '../random-id.ts'
import type { Quarantined, VerifyReport } from '../reports.ts'
import { StoreError } from '../store-error.ts'
import { READ_ENTRY, reasonOf } from './disk/read-entry.ts'
import { hasCode, linkOrRename, removeIfThere } from './files.ts'
import type { FsContext } from './fs-context.ts'
import { type Layout, recordName } from './layout.ts'
import { withRecordLocked } from './publish.ts'
import { readAllRecords, readable, readRecord, readRecordFileSync } from './records.ts'
import { blobNamedIn } from './upkeep/unknown-claims.ts'

const READ_LENGTH = 1024 ** 2

/** What was read, by inode: bytes that several blobs share are read once. */
type Reads = Map<string, { readonly digest: string; readonly size: number }>

/** Reads every blob, and moves objects whose bytes are not what was committed to `quarantine/`, their records with them. */
export async function verifyStore(context: FsContext): Promise<VerifyReport> {
  const quarantined: Quarantined[] = []
  const read: Reads = new Map()
  let intact = 0
  const damaged: string[] = []
  const named = new Set<string>()
  const records = readAllRecords(context.layout, (shard, error) => {
    quarantined.push({
      key: null,
      reason: reasonOf(error),
      files: [relative(context.layout.directory, shard)],
    })
  })
  for await (const { path, record } of records) {
    if (record === null) {
      damaged.push(path)
      continue
    }
    named.add(record.blob)
    const found = await checkBlob(context, record, read)
    if (found === 'intact') intact++
    else if (found !== null) quarantined.push(found)
  }
  for (const path of damaged) {
    const found = await checkRecord(context, path, named)
    if (found !== null) quarantined.push(found)
  }
  const bytes = [...read.values()].reduce((sum, { size }) => sum + size, 0)
  return { intact, bytes, quarantined }
}

/** `null` where the object was replaced or deleted meanwhile. */
async function checkBlob(
  context: FsContext,
  record: BlobRecord,
  read: Reads,
): Promise<Quarantined | 'intact' | null> {
  const { layout, disk } = context
  const { object, blob } = record
  if ((await faultOf(layout.blob(blob), object, read)) === null) return 'intact'
  return withRecordLocked(context, recordName(object.key), async () => {
    if ((await readable(readRecord(layout, object.key)))?.blob !== blob) return null
    // Once more, now that nobody can replace it, and believing nothing that was read before.
    const reason = await faultOf(layout.blob(blob), object, new Map())
    if (reason === null) return 'intact'
    // Later uploads of the true bytes must not be given these.
    const shared = layout.digest(object.digest)
    if (await removeIfThere(shared)) await disk.syncDirectory(dirname(shared))
    const files = await moveAway(context, [layout.blob(blob), layout.record(object.key)], blob)
    return { key: object.key, reason, files }
  })
}

async function faultOf(
  path: string,
  { size, digest }: BlobRecord['object'],
  read: Reads,
): Promise<string | null> {
  let file: FileHandle
  try {
    file = await open(path, READ_ENTRY)
  } catch (error) {
    return faultIn(error)
  }
  try {
    const { dev, ino, mtimeNs, size: length } = await file.stat({ bigint: true })
    // The number of an inode is used again when its file is gone.
    const identity = [dev, ino, mtimeNs, length].join()
    const found = read.get(identity) ?? (await digestOf(file))
    read.set(identity, found)
    if (found.size !== size) return `It has ${found.size} bytes, and had ${size} when it was committed.`
    return found.digest === digest ? null : `The sha-256 of its bytes is ${found.digest}, and was ${digest}.`
  } catch (error) {
    return faultIn(error)
  } finally {
    await file.close()
  }
}

/** What the disk says of bytes that it has lost. Anything else, such as a mount that is gone, is no fault of theirs. */
const LOST = ['EIO', 'EISDIR', 'EUCLEAN', 'EBADMSG', 'ELOOP', 'ENXIO', 'ESPIPE']

function faultIn(error: unknown): string {
  if (hasCode(error, 'ENOENT')) return 'Its bytes are missing.'
  if (!hasCode(error, ...LOST)) throw error
  return `Its bytes cannot be read: ${(error as NodeJS.ErrnoException).code}.`
}

async function digestOf(file: FileHandle): Promise<{ digest: string; size: number }> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(READ_LENGTH)
  for (let size = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, READ_LENGTH, size)
    if (bytesRead === 0) return { digest: hash.digest('hex'), size }
    hash.update(buffer.subarray(0, bytesRead))
    size += bytesRead
  }
}

/**
 * A record that is damaged, with the blob that it names if that is legible.
 *
 * @param named blobs of intact records, which stay where they are
 */
async function checkRecord(
  context: FsContext,
  path: string,
  named: ReadonlySet<string>,
): Promise<Quarantined | null> {
  const { layout } = context
  return withRecordLocked(context, basename(path, '.json'), async () => {
    const fault = faultOfRecord(layout, path)
    // Replaced, repaired or deleted meanwhile.
    if (fault === null) return null
    if (hasCode(fault.cause, 'EACCES', 'EPERM')) {
      // Nothing is known to be wrong with its content: its permissions are the operator's to change.
      const files = [relative(layout.directory, path)]
      return { key: null, reason: `Its record stays where it is. ${fault.message}`, files }
    }
    const blob = blobNamedIn(path)
    const isOwn = blob !== undefined && !named.has(blob)
    const paths = isOwn ? [layout.blob(blob), path] : [path]
    const files = await moveAway(context, paths, isOwn ? blob : randomId())
    return { key: null, reason: 'Its record cannot be read.', files }
  })
}

function faultOfRecord(layout: Layout, path: string): StoreError | null {
  try {
    readRecordFileSync(layout, path)
    return null
  } catch (error) {
    if (error instanceof StoreError) return error
    throw error
  }
}

/** The blob first: a record without one is found again, a blob without a record is swept. */
async function moveAway(
  { layout, disk }: FsContext,
  paths: readonly string[],
  id: string,
): Promise<readonly string[]> {
  const files: string[] = []
  for (const path of paths) {
    const target = join(layout.quarantine, path.endsWith('.json') ? `${id}.json` : basename(path))
    await disk.makeParent(target)
    try {
      // Durable there before it goes here; and a rename of one of two names of a file would do nothing.
      await linkOrRename(path, target)
      await disk.syncDirectory(layout.quarantine)
      await removeIfThere(path)
      files.push(relative(layout.directory, target))
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
    }
  }
  for (const path of paths) await disk.syncDirectory(dirname(path))
  return files
}
