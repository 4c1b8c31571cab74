import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { StoreOptions, UploadStore } from '../contract/store.ts'
import type { UploadSession } from '../contract/upload-session.ts'
import { DamageReporter } from '../session/damage.ts'
import { deleteCompanions } from '../session/delete-companions.ts'
import { putThrough } from '../session/put.ts'
import { Sessions } from '../session/sessions.ts'
import { step } from '../session/step.ts'
import { storeLimits } from '../session/store-limits.ts'
import { checkConditions } from '../values/conditions.ts'
import { normalizeKey } from '../values/key.ts'
import { KeyedQueue } from '../values/task-queue.ts'
import { Disk } from './disk/disk.ts'
import { withStoreErrors } from './disk/files.ts'
import { openLayout, recordName } from './disk/layout.ts'
import { Space } from './disk/space.ts'
import type { FsContext } from './fs-context.ts'
import { Locks } from './locks/lock.ts'
import { removeOwnBlob } from './objects/blobs.ts'
import { Contents } from './objects/contents.ts'
import { KeyIndex } from './objects/key-index.ts'
import { withRecordLocked } from './objects/publish.ts'
import { readable, readRecord, removeRecord } from './objects/records.ts'
import { fsStagingArea } from './staging/staging.ts'
import { recoverStaging } from './upkeep/recover.ts'
import { sweepStore } from './upkeep/sweep.ts'
import { verifyStore } from './upkeep/verify.ts'

export interface FsStoreOptions extends StoreOptions {
  /** `full`: acknowledged uploads survive a power cut; `none`: they survive only a crash of this process (full). */
  readonly durability?: 'full' | 'none' | undefined
  /**
   * How long a process in another container or on another machine may show no sign of life before its uploads count as
   * abandoned, in ms (60 s). For a process on this machine, the store checks directly whether it is alive.
   */
  readonly ownerTimeout?: number | undefined
}

export interface FromFileOptions {
  /**
   * Makes the object a hard link to the file (`false`: the bytes are shared by a reflink if the file system can, or else
   * copied). The file must then not be written to any more: that would damage the object.
   */
  readonly link?: boolean | undefined
  /** Called with the number of bytes of each step (none). */
  readonly onProgress?: ((bytes: number) => void) | undefined
}

/** A store that can bring files of this machine. */
export interface FsStore extends UploadStore {
  /**
   * Creates an upload that has the bytes of the regular file at `path`, without reading them twice. Seal and commit it.
   *
   * @throws StoreError INVALID_KEY, NO_SPACE, TOO_LARGE, UNSUPPORTED_TYPE; what the file system throws for the file
   */
  createUploadFromFile(key: string, path: string, options?: FromFileOptions): Promise<UploadSession>
}

/**
 * Returns the store in `directory`, and creates the directory if it is missing. Several processes may share a store.
 *
 * Uploads are staged, hashed while they stream, fsynced, and published by one rename. A reader sees a complete object or
 * none, and an acknowledged upload survives a power cut. Equal contents share their bytes by hard links.
 *
 * An existing store can be opened and read even if it is not writable.
 *
 * @throws StoreError CORRUPT when the directory holds another version of the layout, or has lost its records; what the
 * file system throws when a new store cannot be written
 * @example
 * const store = createFsStore('data')
 * const { etag } = await store.put('clip.mp4', createReadStream('clip.mp4'), { type: 'video/mp4' })
 */
export function createFsStore(directory: string, options: FsStoreOptions = {}): FsStore {
  const context = openContext(directory, options)
  const { space } = context
  const sessions = new Sessions(options, fsStagingArea(context), (key) => store.get(key))
  const contents = new Contents(context)
  const index = new KeyIndex(context, contents)
  const store: FsStore = {
    limits: context.limits,
    put: (key, source, putOptions) => putThrough(store, key, source, putOptions),
    get: contents.find,
    list: (listOptions) => withStoreErrors(index.page(listOptions)),
    listRevision: () => withStoreErrors(index.revision()),
    delete: async (text, { ifMatch } = {}) => {
      const key = normalizeKey(text)
      const name = recordName(key)
      const deleting = withRecordLocked(context, name, () => deleteLocked(context, key, ifMatch))
      const existed = await withStoreErrors(deleting)
      if (existed && options.companions) await deleteCompanions(store, key)
      return existed
    },
    createUpload: (key, createOptions) => withStoreErrors(sessions.create(key, createOptions)),
    createUploadFromFile: async (key, path, { link = false, onProgress } = {}) => {
      const { size } = await stat(path)
      const by = link ? 'link' : 'copy'
      return withStoreErrors(sessions.createFromFile(key, { path, by, size: link ? 0 : size, onProgress }))
    },
    resumeUpload: (id) => withStoreErrors(sessions.resume(id)),
    concatenateUploads: (parts, key, createOptions) =>
      withStoreErrors(sessions.concatenate(parts, key, createOptions)),
    interruptUpload: (id) => withStoreErrors(sessions.interrupt(id)),
    getUpload: (id) => withStoreErrors(sessions.get(id)),
    deleteUpload: (id) => withStoreErrors(sessions.delete(id)),
    leaveReceipt: (id, whole) => withStoreErrors(sessions.leaveReceipt(id, whole)),
    listUploads: () => withStoreErrors(sessions.list()),
    checkSpace: (size = 0) => withStoreErrors(space.checkSpace(size)),
    recover: async () => {
      const recovering = recoverStaging(context, { expire: false })
      const { expired: _, ...report } = await withStoreErrors(recovering)
      return report
    },
    sweep: () => withStoreErrors(sweepStore(context)),
    verify: (verifyOptions) => verifyStore(context, verifyOptions),
    close: async () => {
      await sessions.close()
      context.locks.close()
    },
  }
  return store
}

function openContext(directory: string, options: FsStoreOptions): FsContext {
  const { durability = 'full', ownerTimeout = 60_000, maxTotalSize, onDamaged } = options
  const layout = openLayout(resolve(directory))
  const damage = new DamageReporter(onDamaged, layout.directory)
  const disk = new Disk(durability)
  disk.rememberShards([layout.blobs, layout.digests, layout.records])
  return {
    layout,
    disk,
    damage,
    locks: new Locks(layout, ownerTimeout, damage),
    commits: new KeyedQueue(),
    space: new Space(layout, maxTotalSize),
    limits: storeLimits(options),
  }
}

async function deleteLocked(context: FsContext, key: string, ifMatch: string | undefined): Promise<boolean> {
  const { layout } = context
  const record = await readable(readRecord(layout, key))
  checkConditions(key, record?.object.etag, { ifMatch })
  const existed = await step('remove record', () => removeRecord(context, key))
  // If this fails, sweep removes the blob later. The object itself is already deleted.
  if (record !== null) await step('remove blob', () => removeOwnBlob(layout, record).catch(() => {}))
  return existed
}
