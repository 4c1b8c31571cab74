import { resolve } from 'node:path'
import { checkConditions } from '../conditions.ts'
import { normalizeKey } from '../key.ts'
import { putThrough } from '../put.ts'
import { DamageReporter } from '../session/damage.ts'
import { Sessions } from '../sessions.ts'
import type { StoreOptions, UploadStore } from '../store.ts'
import { removeBlobOf } from './blobs.ts'
import { Contents } from './contents.ts'
import { Disk } from './disk.ts'
import { withStoreErrors } from './files.ts'
import type { FsContext } from './fs-context.ts'
import { KeyIndex } from './key-index.ts'
import { openLayout, recordName } from './layout.ts'
import { Locks } from './lock.ts'
import { withRecordLocked } from './publish.ts'
import { readable, readRecord, removeRecord } from './records.ts'
import { recoverStaging } from './recover.ts'
import { Serializer } from './serialize.ts'
import { Space } from './space.ts'
import { fsStagingArea } from './staging.ts'
import { sweepStore } from './sweep.ts'
import { verifyStore } from './verify.ts'

const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR

export interface FsStoreOptions extends StoreOptions {
  /** `full`: what was answered survives a power cut; `none`: a crash of this process only (full). */
  readonly durability?: 'full' | 'none' | undefined
  /**
   * How long a process that cannot be seen from here, in another container or on another machine, may give no sign of
   * life before its uploads count as left behind, in ms (60 s). One that can be seen needs no guess.
   */
  readonly gracePeriod?: number | undefined
}

/**
 * Opens the store in `directory`, making the directory where it is missing. Several processes may share it.
 *
 * Uploads are staged, hashed while they stream, fsynced, and published by one rename: a reader sees an object whole or
 * not at all, and one that was answered for survives a power cut. Equal contents share their bytes by hard links.
 *
 * A store that exists is opened even if nothing can be written to it: its objects can be read.
 *
 * @throws StoreError CORRUPT when the directory holds another version of the layout, or has lost its records; what the
 * file system throws when a new store cannot be written
 * @example
 * const store = createFsStore('data')
 * const { etag } = await store.put('clip.mp4', createReadStream('clip.mp4'), { type: 'video/mp4' })
 */
export function createFsStore(directory: string, options: FsStoreOptions = {}): UploadStore {
  const context = openContext(directory, options)
  const { space } = context
  const sessions = new Sessions(options, fsStagingArea(context))
  const contents = new Contents(context)
  const index = new KeyIndex(context)
  const store: UploadStore = {
    put: (key, source, putOptions) => putThrough(store, key, source, putOptions),
    get: async (key) => contents.get(normalizeKey(key)),
    list: (listOptions) => withStoreErrors(index.page(listOptions)),
    delete: async (text, { ifMatch } = {}) => {
      const key = normalizeKey(text)
      const name = recordName(key)
      return withStoreErrors(withRecordLocked(context, name, () => deleteLocked(context, key, ifMatch)))
    },
    create: (key, createOptions) => withStoreErrors(sessions.create(key, createOptions)),
    resume: (id) => withStoreErrors(sessions.resume(id)),
    inspect: (id) => withStoreErrors(sessions.inspect(id)),
    peek: (id) => withStoreErrors(sessions.peek(id)),
    forget: (id) => withStoreErrors(sessions.forget(id)),
    listUploads: () => withStoreErrors(sessions.list()),
    admit: (size = 0) => withStoreErrors(space.admit(size)),
    recover: async () => {
      const recovering = recoverStaging(context, { expire: false })
      const { expired: _, ...report } = await withStoreErrors(recovering)
      return report
    },
    sweep: () => withStoreErrors(sweepStore(context)),
    verify: () => verifyStore(context),
    close: async () => {
      await sessions.close()
      context.locks.close()
    },
  }
  return store
}

function openContext(directory: string, options: FsStoreOptions): FsContext {
  const { durability = 'full', gracePeriod = 60_000, maxTotalSize, onDamaged } = options
  const { expireAfter = DAY, expireEmptyAfter = HOUR } = options
  const layout = openLayout(resolve(directory))
  const damage = new DamageReporter(onDamaged, layout.directory)
  return {
    layout,
    disk: new Disk(durability),
    damage,
    locks: new Locks(layout, gracePeriod, damage),
    serializer: new Serializer(),
    space: new Space(layout, maxTotalSize),
    expireAfter,
    expireEmptyAfter: Math.min(expireAfter, expireEmptyAfter),
  }
}

async function deleteLocked(context: FsContext, key: string, ifMatch: string | undefined): Promise<boolean> {
  const { layout } = context
  const record = await readable(readRecord(layout, key))
  checkConditions(key, record?.object.etag, { ifMatch })
  const existed = await removeRecord(context, key)
  // An orphan for sweep, and no reason to say that the object is still there.
  if (record !== null) await removeBlobOf(layout, record).catch(() => {})
  return existed
}
