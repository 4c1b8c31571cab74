import type { StoreOptions, UploadStore } from '../contract/store.ts'
import type { S3Content } from '../contract/stored-object.ts'
import { DamageReporter } from '../session/damage.ts'
import { deleteCompanions } from '../session/delete-companions.ts'
import { putThrough } from '../session/put.ts'
import { Sessions } from '../session/sessions.ts'
import { storeLimits } from '../session/store-limits.ts'
import { checkConditions } from '../values/conditions.ts'
import { normalizeKey } from '../values/key.ts'
import { type ConnectionOptions, connect } from './client/connection.ts'
import { Downloads } from './client/downloads.ts'
import { operation, type S3Context } from './context/context.ts'
import { Leftovers } from './context/leftovers.ts'
import { Names } from './context/names.ts'
import { PartBudget } from './context/part-budget.ts'
import { Records } from './context/records.ts'
import { Space } from './context/space.ts'
import { Contents } from './objects/contents.ts'
import { listObjects } from './objects/list.ts'
import { removeReplaced } from './objects/publish.ts'
import { DEFAULT_PART_SIZE, MIN_PART_SIZE } from './staging/part-size.ts'
import { s3StagingArea } from './staging/staging-area.ts'
import { recoverUploads, sweepStore } from './upkeep/sweep.ts'
import { verifyStore } from './upkeep/verify.ts'

const DAY = 24 * 60 * 60 * 1000

export interface S3StoreOptions extends StoreOptions, ConnectionOptions {
  /** Part size in bytes, at least 5 MiB (8 MiB). Larger if an upload would need more than 10,000 parts. */
  readonly partSize?: number | undefined
  /** Maximum memory for the parts of all uploads, in bytes (128 MiB). */
  readonly partMemory?: number | undefined
  /** How long another process's change to a record may remain unseen, in ms (1000). */
  readonly recordMaxAge?: number | undefined
  /** Minimum age of an orphaned object before sweep removes it, in ms (24 h). */
  readonly orphanAge?: number | undefined
}

/** A store whose contents have signed URLs. */
export interface S3Store extends UploadStore {
  /**
   * Resolves to the object under `key`, or `null`. Opens nothing.
   *
   * @throws StoreError INVALID_KEY, CORRUPT, UNAVAILABLE
   */
  get(key: string): Promise<S3Content | null>
}

/**
 * Returns the store in an S3 bucket. Any number of processes on any number of machines may share a store.
 *
 * Bytes are sent by multipart upload to their final place. A small record, written in one request, publishes the object.
 *
 * @throws RangeError if `partSize` is below 5 MiB, or `partMemory` is smaller than one part
 * @example
 * const store = createS3Store({ endpoint: 'http://127.0.0.1:7480', bucket: 'videos', prefix: 'app/' })
 * const { etag } = await store.put('clip.mp4', createReadStream('clip.mp4'), { type: 'video/mp4' })
 */
export function createS3Store(options: S3StoreOptions): S3Store {
  const { context, contents, close } = openContext(options)
  const sessions = new Sessions(options, s3StagingArea(context), (key) => store.get(key))
  const store: S3Store = {
    limits: context.limits,
    put: (key, source, putOptions) => putThrough(store, key, source, putOptions),
    get: async (key) => contents.get(normalizeKey(key)),
    list: (listOptions) => listObjects(context, listOptions),
    // A bucket reports a change only in a list of all its records.
    listRevision: async () => null,
    delete: async (name, { ifMatch } = {}) => {
      const key = normalizeKey(name)
      const existed = await remove(context, key, ifMatch)
      if (existed && options.companions) await deleteCompanions(store, key)
      return existed
    },
    createUpload: (key, createOptions) => sessions.create(key, createOptions),
    resumeUpload: (id) => sessions.resume(id),
    concatenateUploads: (parts, key, createOptions) => sessions.concatenate(parts, key, createOptions),
    interruptUpload: (id) => sessions.interrupt(id),
    getUpload: (id) => sessions.get(id),
    deleteUpload: (id) => sessions.delete(id),
    leaveReceipt: (id, whole) => sessions.leaveReceipt(id, whole),
    listUploads: () => sessions.list(),
    checkSpace: (size = 0) => context.space.checkSpace(size),
    recover: () => recoverUploads(context),
    sweep: () => sweepStore(context),
    verify: (verifyOptions) => verifyStore(context, verifyOptions),
    close: async () => {
      await sessions.close()
      close()
    },
  }
  return store
}

function openContext(options: S3StoreOptions): {
  readonly context: S3Context
  readonly contents: Contents
  readonly close: () => void
} {
  const { partSize = DEFAULT_PART_SIZE, partMemory = 16 * DEFAULT_PART_SIZE, maxTotalSize } = options
  const { recordMaxAge = 1000, orphanAge = DAY } = options
  if (partSize < MIN_PART_SIZE) {
    throw new RangeError(
      `partSize ${partSize} is below the minimum of S3. Give at least ${MIN_PART_SIZE} bytes.`,
    )
  }
  if (partMemory < partSize) {
    throw new RangeError(
      `partMemory ${partMemory} is smaller than one part. Give at least partSize, ${partSize} bytes.`,
    )
  }
  const bucket = connect(options)
  const names = new Names(options.prefix ?? '')
  const downloads = new Downloads(bucket)
  const records = new Records(bucket, names, new DamageReporter(options.onDamaged))
  const leftovers = new Leftovers(bucket)
  const budget = new PartBudget(partMemory, partSize)
  const space = new Space(bucket.withTimeout(bucket.limits.timeout), names, leftovers, maxTotalSize)
  const shared = { bucket, names, downloads, records, leftovers, budget, space }
  return {
    context: {
      ...shared,
      partSize,
      limits: storeLimits(options),
      orphanAge,
    },
    contents: new Contents(shared, recordMaxAge),
    close: () => {
      leftovers.close()
      downloads.close()
      // A client passed as an option is closed by its owner.
      if (options.client === undefined) bucket.client.destroy()
    },
  }
}

/**
 * Checks the condition, then deletes. On engines without conditional DELETE, another writer may replace the object in
 * between.
 */
async function remove(context: S3Context, key: string, ifMatch: string | undefined): Promise<boolean> {
  const { space } = context
  const { records } = operation(context)
  for (;;) {
    const found = await records.find(key)
    checkConditions(key, found?.record?.object.etag, { ifMatch })
    if (found === null) return false
    // If the object was replaced meanwhile, the condition is checked against the new one.
    if (!(await records.remove(key, ifMatch === undefined ? undefined : found.tag))) continue
    if (found.record !== null) {
      removeReplaced(context, key, found.record.blob)
      space.add(-found.record.object.size)
    }
    return true
  }
}
