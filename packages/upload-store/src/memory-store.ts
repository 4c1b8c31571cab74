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
type Paused = Map<string, PausedUpload>

interface PausedUpload {
  readonly intent: Intent
  readonly bytes: Buffer
  readonly since: number
  /** What it became; its bytes are gone then. */
  readonly committed: StoredObject | null
}

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
    const held = [...objects.values(), ...paused.values()]
    const stored = held.reduce((sum, { bytes }) => sum + bytes.length, 0)
    if (stored + size > maxTotalSize || stored >= maxTotalSize) {
      throw new StoreError('NO_SPACE', `The store holds ${stored} of at most ${maxTotalSize} bytes.`)
    }
  }
  const sessions = new Sessions(options, stagingArea(objects, paused, admit, expireAfter))
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
    inspect: (id) => sessions.inspect(id),
    peek: (id) => sessions.peek(id),
    forget: (id) => sessions.forget(id),
    admit,
    recover: async () => ({ paused: waiting(paused), discarded: 0, busy: 0 }),
    sweep: async () => {
      const before = waiting(paused)
      for (const [id, { since }] of paused) if (Date.now() - since >= expireAfter) paused.delete(id)
      const nothing = { discarded: 0, busy: 0, blobs: 0, bytes: 0, digests: 0, damaged: 0 }
      return { ...nothing, paused: waiting(paused), expired: before - waiting(paused) }
    },
    verify: async () => ({ intact: objects.size, bytes: 0, quarantined: [] }),
    close: () => sessions.close(),
  }
  return store
}

/** How many may be resumed. */
function waiting(paused: Paused): number {
  return [...paused.values()].filter(({ committed }) => committed === null).length
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

function stagingArea(
  objects: Objects,
  paused: Paused,
  admit: (size: number) => Promise<void>,
  expireAfter: number,
): StagingArea {
  const stage = (id: string, created: Intent, bytes: Buffer): Staging => {
    let intent = created
    const chunks: Uint8Array[] = [bytes]
    let size = bytes.length
    return {
      note: async (meta) => {
        intent = { ...intent, meta }
      },
      write: async (chunk) => {
        await admit(size + chunk.length)
        size += chunk.length
        chunks.push(Uint8Array.from(chunk))
      },
      seal: async () => {},
      pause: async (offset) => {
        const kept = Buffer.concat(chunks).subarray(0, offset)
        paused.set(id, { intent, bytes: kept, since: Date.now(), committed: null })
      },
      publish: async (object, conditions) => {
        checkConditions(object.key, objects.get(object.key)?.object.etag, conditions)
        objects.set(object.key, { object, bytes: Buffer.concat(chunks) })
        if (intent.meta === undefined) return
        paused.set(id, { intent, bytes: Buffer.alloc(0), since: Date.now(), committed: object })
      },
      discard: async () => {
        chunks.length = 0
      },
      // There is no other process, and nothing is durable here.
      onTakeover: () => {},
      onDurable: () => {},
    }
  }
  return {
    create: async (id, intent) => {
      await admit(intent.expectedSize)
      return stage(id, intent, Buffer.alloc(0))
    },
    resume: async (id) => {
      const found = paused.get(id)
      if (found === undefined || found.committed !== null) return null
      paused.delete(id)
      const { intent, bytes } = found
      const staging = stage(id, intent, bytes)
      return {
        staging,
        intent,
        size: bytes.length,
        bytes: async function* (start) {
          yield bytes.subarray(start)
        },
      }
    },
    inspect: async (id) => {
      const found = paused.get(id)
      if (found === undefined) return null
      const { intent, bytes, since, committed } = found
      const { key, meta = {} } = intent
      const offset = committed?.size ?? bytes.length
      return { id, key, meta, offset, committed, expires: since + expireAfter }
    },
    peek: async (id) => {
      const found = paused.get(id)
      if (found === undefined) return null
      const { intent, committed } = found
      return { id, key: intent.key, meta: intent.meta ?? {}, committed }
    },
    forget: async (id) => paused.delete(id),
  }
}
