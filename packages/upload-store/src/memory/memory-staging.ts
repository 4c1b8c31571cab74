import type { StoredObject } from '../contract/stored-object.ts'
import type { CommitOptions, UploadMeta } from '../contract/upload-session.ts'
import type { Intent, Staging, StagingArea } from '../session/driver.ts'
import { checkConditions } from '../values/conditions.ts'
import type { Memory } from './memory.ts'

/** Stages uploads in memory. */
export function memoryStagingArea(memory: Memory): StagingArea {
  const { paused } = memory
  return {
    create: async (id, intent) => {
      memory.admit(intent.expectedSize)
      return new MemoryStaging(memory, id, intent, Buffer.alloc(0))
    },
    resume: async (id) => {
      const found = paused.get(id)
      if (found === undefined || found.committed !== null) return null
      paused.delete(id)
      const { intent, bytes } = found
      return {
        staging: new MemoryStaging(memory, id, intent, bytes),
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
      const { intent, bytes, committed } = found
      const { key, meta = {} } = intent
      const offset = committed?.size ?? bytes.length
      return { id, key, meta, offset, committed, expires: memory.expiry(found) }
    },
    list: async () => [...paused].flatMap(([id, { committed }]) => (committed === null ? [id] : [])),
    peek: async (id) => {
      const found = paused.get(id)
      if (found === undefined) return null
      const { intent, committed } = found
      return { id, key: intent.key, meta: intent.meta ?? {}, committed }
    },
    forget: async (id) => paused.delete(id),
  }
}

/** One upload, in the chunks in which it came. */
class MemoryStaging implements Staging {
  readonly #memory: Memory
  readonly #id: string
  readonly #chunks: Uint8Array[]
  #intent: Intent
  #size: number

  constructor(memory: Memory, id: string, intent: Intent, bytes: Buffer) {
    this.#memory = memory
    this.#id = id
    this.#intent = intent
    this.#chunks = [bytes]
    this.#size = bytes.length
  }

  async note(meta: UploadMeta): Promise<void> {
    this.#intent = { ...this.#intent, meta }
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#memory.admit(this.#size + chunk.length)
    this.#size += chunk.length
    this.#chunks.push(Uint8Array.from(chunk))
  }

  async seal(): Promise<void> {}

  async pause(offset: number): Promise<void> {
    this.#keep(Buffer.concat(this.#chunks).subarray(0, offset), null)
  }

  async publish(object: StoredObject, conditions: CommitOptions): Promise<void> {
    const { objects } = this.#memory
    checkConditions(object.key, objects.get(object.key)?.object.etag, conditions)
    objects.set(object.key, { object, bytes: Buffer.concat(this.#chunks) })
    if (this.#intent.meta !== undefined) this.#keep(Buffer.alloc(0), object)
  }

  #keep(bytes: Buffer, committed: StoredObject | null): void {
    this.#memory.paused.set(this.#id, { intent: this.#intent, bytes, since: Date.now(), committed })
  }

  async discard(): Promise<void> {
    this.#chunks.length = 0
  }

  // There is no other process, and nothing is durable here.
  onTakeover(): void {}
  onDurable(): void {}
}
