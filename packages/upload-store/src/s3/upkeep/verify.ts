import { createHash } from 'node:crypto'
import type { Quarantined, VerifyReport } from '../../contract/reports.ts'
import type { VerifyOptions } from '../../contract/store.ts'
import { StoreError } from '../../contract/store-error.ts'
import type { S3Parts } from '../context/context.ts'
import { formatS3Record, type S3Record } from '../context/records.ts'

/**
 * Reads every blob and compares its digest. Moves the record of a damaged object to `quarantine/`; its bytes stay in
 * place.
 */
export async function verifyStore(
  context: S3Parts<'bucket' | 'names' | 'downloads' | 'records'>,
  { onProgress }: VerifyOptions = {},
): Promise<VerifyReport> {
  const { bucket, names, records } = context
  let inQuarantine = 0
  for await (const _ of bucket.list(names.quarantine)) inQuarantine++
  const quarantined: Quarantined[] = []
  const foreign: string[] = []
  let [intact, bytes] = [0, 0]
  for await (const { name } of bucket.list(names.records)) {
    if (!names.isRecord(name)) foreign.push(name)
    const found = await records.findNamed(name)
    if (found === null) continue
    const { record } = found
    const reason = record === null ? 'Its record cannot be read.' : await findFault(context, record)
    if (record !== null && reason === null) {
      intact++
      bytes += record.object.size
      onProgress?.(record.object.size)
    }
    // The object is intact, or was replaced or deleted while it was read.
    if (reason === null || (await bucket.head(name))?.tag !== found.tag) continue
    quarantined.push(await quarantine(context, name, record, reason))
  }
  return { intact, bytes, repaired: [], quarantined, inQuarantine, foreign }
}

async function findFault(
  { downloads, names }: S3Parts<'names' | 'downloads'>,
  { object, blob, blobTag }: S3Record,
): Promise<string | null> {
  const hash = createHash('sha256')
  try {
    if (object.size > 0) {
      const span = { name: names.blob(blob), tag: blobTag, start: 0, end: object.size - 1 }
      for await (const chunk of await downloads.open(span)) hash.update(chunk)
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    if (error.code === 'NOT_FOUND') return 'Its bytes are missing.'
    if (error.code === 'CORRUPT') return error.message
    throw error
  }
  const digest = hash.digest('hex')
  return digest === object.digest ? null : `The sha-256 of its bytes is ${digest}, and was ${object.digest}.`
}

async function quarantine(
  { bucket, names }: S3Parts<'bucket' | 'names'>,
  name: string,
  record: S3Record | null,
  reason: string,
): Promise<Quarantined> {
  const id = record?.blob ?? name.slice(names.records.length)
  const kept = record === null ? (await bucket.get(name))?.text : formatS3Record(record)
  await bucket.put(names.quarantined(id), Buffer.from(kept ?? ''))
  await bucket.remove(name)
  const files = [names.quarantined(id), ...(record === null ? [] : [names.blob(record.blob)])]
  return { key: record?.object.key ?? null, reason, files }
}
