import { Readable } from 'node:stream'
import { checkConditions } from './conditions.ts'
import type { Intent, Staging, StagingArea } from './driver.ts'
import { checkKey } from './key.ts'
import { pageOf } from './listing.ts'
import type { StoredContent, StoredObject } from './object.ts'
import { putThrough } from './put.ts'
import { Sessions } from './sessions.ts'
import type { StoreOptions, UploadStore } from './store.ts'
import { StoreError } from './store-error.ts'

type Objects = Map<string, { readonly object: StoredObject; readonly bytes: Buffer }>
/** Paused uploads. */
type Paused = Map<string, { readonly intent: Intent; readonly bytes: Buffer; readonly since: number }>

const DAY = 24 * 60 * 60 * 1000

/**
 * Creates a store in memory, for tests and examples: the contract of the durable stores without the durability.
 *
 * @example
 * const store = createMemoryStore()
 * await store.put('hello.txt', Readable.from([Buffer.from('hello')]), { type: 'text/plain' })
 */
export function createMemoryStore(options: StoreOptions = {}): UploadStore {
  const objects: Objects = new Map()
  const paused: Paused = new Map()
  const { maxTotalSize = Number.POSITIVE_INFINITY, expireAfter = DAY } = options
  const admit = async (size = 0) => {
    const stored = [...objects.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
    if (stored + size > maxTotalSize || stored >= maxTotalSize) {
      throw new StoreError('NO_SPACE', `The store holds ${stored} of at most ${maxTotalSize} bytes.`)
    }
  }
  const sessions = new Sessions(options, stagingArea(objects, paused, admit))
  const store: UploadStore = {
    put: (key, source, putOptions) => putThrough(store, key, source, putOptions),
    get: async (key) => content(objects.get(checkKey(key))),
    list: async (listOptions) =>
      pageOf(
        [...objects.values()].map(({ object }) => object),
        listOptions,
      ),
    delete: async (key, conditions = {}) => {
      checkConditions(checkKey(key), objects.get(key)?.object.etag, conditions)
      return objects.delete(key)
    },
    create: (key, createOptions) => sessions.create(key, createOptions),
    resume: (id) => sessions.resume(id),
    admit,
    recover: async () => ({ paused: paused.size, discarded: 0, busy: 0 }),
    sweep: async () => {
      const old = [...paused].filter(([, { since }]) => Date.now() - since >= expireAfter)
      for (const [id] of old) paused.delete(id)
      const nothing = { discarded: 0, busy: 0, blobs: 0, bytes: 0, digests: 0, damaged: 0 }
      return { ...nothing, paused: paused.size, expired: old.length }
    },
    verify: async () => ({ intact: objects.size, bytes: 0, quarantined: [] }),
    close: () => sessions.close(),
  }
  return store
}

function content(stored: ReturnType<Objects['get']>): StoredContent | null {
  if (stored === undefined) return null
  const { object, bytes } = stored
  return {
    ...object,
    name: object.key,
    stream: async ({ start, end } = { start: 0, end: bytes.length - 1 }) =>
      Readable.from(end < start ? [] : [bytes.subarray(start, end + 1)]),
  }
}

function stagingArea(objects: Objects, paused: Paused, admit: (size: number) => Promise<void>): StagingArea {
  const stage = (id: string, intent: Intent, bytes: Buffer): Staging => {
    const chunks: Uint8Array[] = [bytes]
    return {
      write: async (chunk) => {
        chunks.push(Uint8Array.from(chunk))
      },
      seal: async () => {},
      pause: async () => {
        paused.set(id, { intent, bytes: Buffer.concat(chunks), since: Date.now() })
        return ''
      },
      publish: async (object, conditions) => {
        checkConditions(object.key, objects.get(object.key)?.object.etag, conditions)
        objects.set(object.key, { object, bytes: Buffer.concat(chunks) })
      },
      discard: async () => {
        chunks.length = 0
      },
      // There is no other process.
      onTakeover: () => {},
    }
  }
  return {
    create: async (id, intent, expectedSize) => {
      await admit(expectedSize)
      return stage(id, intent, Buffer.alloc(0))
    },
    resume: async (id) => {
      const found = paused.get(id)
      if (found === undefined) return null
      paused.delete(id)
      const { intent, bytes } = found
      const staging = stage(id, intent, bytes)
      return {
        staging,
        intent,
        size: bytes.length,
        epoch: '',
        bytes: async function* () {
          yield bytes
        },
      }
    },
  }
}
