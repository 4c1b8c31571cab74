import { resolve } from 'node:path'
import { checkConditions } from '../conditions.ts'
import { checkKey } from '../key.ts'
import { pageOf } from '../listing.ts'
import { putThrough } from '../put.ts'
import { Sessions } from '../sessions.ts'
import type { StoredContent, StoreOptions, UploadStore } from '../store.ts'
import { openBlob, removeBlob } from './blobs.ts'
import { type Layout, openLayout } from './layout.ts'
import { type BlobRecord, readAllRecords, readable, readRecord, removeRecord } from './records.ts'
import { Serializer } from './serialize.ts'
import { shareScans } from './share-scans.ts'
import { stageInFile } from './staging.ts'

/**
 * Opens the store in `directory`, making the directory where it is missing.
 *
 * Uploads are staged, hashed while they stream, fsynced, and published by one rename: a reader sees an object whole or
 * not at all, and one that was answered for survives a power cut. Equal contents share their bytes by hard links.
 *
 * @throws StoreError CORRUPT when the directory holds another version of the layout; what the file system throws when it
 * cannot be written
 * @example
 * const store = createFsStore('data')
 * const { etag } = await store.put('clip.mp4', createReadStream('clip.mp4'), { type: 'video/mp4' })
 */
export function createFsStore(directory: string, options: StoreOptions = {}): UploadStore {
  const layout = openLayout(resolve(directory))
  const serializer = new Serializer()
  const sessions = new Sessions(options, (id) => stageInFile(layout, id, serializer))
  const scan = shareScans(() => readAllRecords(layout))
  const store: UploadStore = {
    put: (key, source, putOptions) => putThrough(store, key, source, putOptions),
    get: async (key) => {
      const record = await readRecord(layout, checkKey(key))
      return record === null ? null : contentOf(layout, record)
    },
    list: async (listOptions) => {
      const records = await scan()
      return pageOf(
        records.map(({ object }) => object),
        listOptions,
      )
    },
    delete: (key, conditions = {}) =>
      serializer.run(checkKey(key), async () => {
        const record = await readable(readRecord(layout, key))
        checkConditions(key, record?.object.etag, conditions)
        const existed = await removeRecord(layout, key)
        if (record !== null) await removeBlob(layout, record.blob, record.object.digest)
        return existed
      }),
    create: (key, createOptions) => sessions.create(key, createOptions),
    close: () => sessions.close(),
  }
  return store
}

function contentOf(layout: Layout, record: BlobRecord): StoredContent {
  const { object } = record
  return { ...object, name: object.key, stream: (range) => openBlob(layout, record, range) }
}
