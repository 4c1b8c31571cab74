import { checkConditions } from '../conditions.ts'
import type { CommitOptions } from '../upload-session.ts'
import type { FoundRecord, S3Record } from './records.ts'
import type { S3Context } from './s3-context.ts'

/**
 * Makes the record the one of its key, in one step over the record that the conditions were checked on; whoever else has
 * replaced that meanwhile makes it look again. A key is thought to be free at first: that saves a request to most uploads.
 *
 * @param announce called before each try
 * @throws StoreError PRECONDITION_FAILED
 */
export async function publish(
  context: S3Context,
  record: S3Record,
  conditions: CommitOptions,
  announce: () => Promise<void>,
): Promise<void> {
  const { records, names, leftovers } = context
  const { key } = record.object
  let found: FoundRecord | null = conditions.ifMatch === undefined ? null : await records.find(key)
  for (;;) {
    // An answer to an earlier try may have been lost.
    if (found?.record?.blob === record.blob) return
    if (conditions.ifMatch !== undefined || found !== null) {
      checkConditions(key, found?.record?.object.etag, conditions)
    }
    await announce()
    if ((await records.writeOver(record, found?.tag ?? null)) !== null) break
    found = await records.find(key)
  }
  const replaced = found?.record
  if (replaced) leftovers.removeLater(names.blob(replaced.blob))
  context.space.add(record.object.size - (replaced?.object.size ?? 0))
}
