import { Readable } from 'node:stream'
import { checkConditions } from './conditions.ts'
import { checkKey } from './key.ts'
import { pageOf } from './listing.ts'
import { putThrough } from './put.ts'
import type { Staging } from './session.ts'
import { Sessions } from './sessions.ts'
import type { StoredContent, StoredObject, StoreOptions, UploadStore } from './store.ts'

type Objects = Map<string, { readonly object: StoredObject; readonly bytes: Buffer }>

/**
 * Creates a store in memory, for tests and examples: the contract of the durable stores without the durability.
 *
 * @example
 * const store = createMemoryStore()
 * await store.put('hello.txt', Readable.from([Buffer.from('hello')]), { type: 'text/plain' })
 */
export function createMemoryStore(options: StoreOptions = {}): UploadStore {
  const objects: Objects = new Map()
  const sessions = new Sessions(options, async () => stageInMemory(objects))
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

function stageInMemory(objects: Objects): Staging {
  let chunks: Uint8Array[] = []
  return {
    write: async (chunk) => {
      chunks.push(Uint8Array.from(chunk))
    },
    seal: async () => {},
    publish: async (object, conditions) => {
      checkConditions(object.key, objects.get(object.key)?.object.etag, conditions)
      objects.set(object.key, { object, bytes: Buffer.concat(chunks) })
    },
    discard: async () => {
      chunks = []
    },
  }
}
