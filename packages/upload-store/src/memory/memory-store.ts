import { Readable } from 'node:stream'
import type { SweepReport } from '../contract/reports.ts'
import type { StoreOptions, UploadStore } from '../contract/store.ts'
import type { StoredContent } from '../contract/stored-object.ts'
import { deleteCompanions } from '../session/delete-companions.ts'
import { putThrough } from '../session/put.ts'
import { Sessions } from '../session/sessions.ts'
import { checkConditions } from '../values/conditions.ts'
import { normalizeKey } from '../values/key.ts'
import { selectPage } from '../values/listing.ts'
import { type HeldObject, Memory } from './memory.ts'
import { memoryStagingArea } from './memory-staging.ts'

/**
 * Creates a store in memory, for tests and examples: the contract of the durable stores without the durability.
 *
 * @example
 * const store = createMemoryStore()
 * await store.put('hello.txt', Readable.from([Buffer.from('hello')]), { type: 'text/plain' })
 */
export function createMemoryStore(options: StoreOptions = {}): UploadStore {
  const memory = new Memory(options)
  const { objects } = memory
  const sessions = new Sessions(options, memoryStagingArea(memory), (key) => store.get(key))
  const store: UploadStore = {
    limits: memory.limits,
    put: (key, source, putOptions) => putThrough(store, key, source, putOptions),
    get: async (key) => toContent(objects.get(normalizeKey(key))),
    list: async (listOptions) =>
      selectPage(
        [...objects.values()].map(({ object }) => object),
        listOptions,
      ),
    listRevision: async () => null,
    delete: async (name, conditions = {}) => {
      const key = normalizeKey(name)
      checkConditions(key, objects.get(key)?.object.etag, conditions)
      const existed = objects.delete(key)
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
    checkSpace: async (size) => memory.checkSpace(size),
    recover: async () => ({ paused: memory.resumable, discarded: 0, busy: 0 }),
    sweep: async () => sweep(memory),
    verify: async () => ({
      intact: objects.size,
      bytes: 0,
      repaired: [],
      quarantined: [],
      inQuarantine: 0,
      foreign: [],
    }),
    close: () => sessions.close(),
  }
  return store
}

function toContent(held: HeldObject | undefined): StoredContent | null {
  if (held === undefined) return null
  const { object, bytes } = held
  return {
    ...object,
    name: object.key,
    stream: async ({ start, end } = { start: 0, end: bytes.length - 1 }) =>
      Readable.from(end < start ? [] : [bytes.subarray(start, end + 1)]),
  }
}

function sweep(memory: Memory): SweepReport {
  const before = memory.resumable
  memory.expire()
  const paused = memory.resumable
  return {
    paused,
    expired: before - paused,
    discarded: 0,
    busy: 0,
    blobs: 0,
    bytes: 0,
    digests: 0,
    damaged: 0,
  }
}
