import { Readable } from 'node:stream'
import type { StoredObject } from '../contract/stored-object.ts'
import type { CommitOptions } from '../contract/upload-session.ts'
import type { Manifest, Staging, StagingArea } from '../session/driver.ts'
import { checkConditions } from '../values/conditions.ts'
import type { Memory } from './memory.ts'

/** Stages uploads in memory. */
export function memoryStagingArea(memory: Memory): StagingArea {
  const { paused } = memory
  return {
    create: async (id, manifest) => {
      memory.checkSpace(manifest.expectedSize)
      return new MemoryStaging(memory, id, manifest, Buffer.alloc(0))
    },
    resume: async (id) => {
      const found = paused.get(id)
      if (found === undefined || found.committed !== null) return null
      paused.delete(id)
      const { manifest, bytes } = found
      return {
        staging: new MemoryStaging(memory, id, manifest, bytes),
        manifest,
        size: bytes.length,
        bytes: async function* (start) {
          yield bytes.subarray(start)
        },
      }
    },
    interrupt: async (id) => {
      const found = paused.get(id)
      if (found === undefined) return null
      const { manifest, bytes, committed } = found
      const { key, metadata = {} } = manifest
      const offset = committed?.size ?? bytes.length
      return { id, key, metadata, offset, committed, expires: memory.expiry(found) }
    },
    list: async () => [...paused].flatMap(([id, { committed }]) => (committed === null ? [id] : [])),
    get: async (id) => {
      const found = paused.get(id)
      if (found === undefined) return null
      const { manifest, committed } = found
      return { id, key: manifest.key, metadata: manifest.metadata ?? {}, committed }
    },
    delete: async (id) => paused.delete(id),
    leaveReceipt: async (id, whole) => {
      const part = paused.get(id)
      const committed = paused.get(whole)?.committed ?? null
      if (part === undefined || committed === null) return false
      paused.set(id, { manifest: part.manifest, bytes: Buffer.alloc(0), since: Date.now(), committed })
      return true
    },
  }
}

/** One upload, in the chunks in which it came. */
class MemoryStaging implements Staging {
  readonly #memory: Memory
  readonly #id: string
  readonly #chunks: Uint8Array[]
  #manifest: Manifest
  #size: number

  constructor(memory: Memory, id: string, manifest: Manifest, bytes: Buffer) {
    this.#memory = memory
    this.#id = id
    this.#manifest = manifest
    this.#chunks = [bytes]
    this.#size = bytes.length
  }

  async setManifest(manifest: Manifest): Promise<void> {
    this.#manifest = manifest
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#memory.checkSpace(this.#size + chunk.length)
    this.#size += chunk.length
    this.#chunks.push(Uint8Array.from(chunk))
  }

  async seal(): Promise<void> {}

  async stream(): Promise<Readable> {
    return Readable.from([Buffer.concat(this.#chunks)])
  }

  async pause(offset: number): Promise<void> {
    this.#keep(Buffer.concat(this.#chunks).subarray(0, offset), null)
  }

  async publish(object: StoredObject, conditions: CommitOptions): Promise<void> {
    const { objects } = this.#memory
    checkConditions(object.key, objects.get(object.key)?.object.etag, conditions)
    objects.set(object.key, { object, bytes: Buffer.concat(this.#chunks) })
    if (this.#manifest.metadata !== undefined) this.#keep(Buffer.alloc(0), object)
  }

  #keep(bytes: Buffer, committed: StoredObject | null): void {
    this.#memory.paused.set(this.#id, { manifest: this.#manifest, bytes, since: Date.now(), committed })
  }

  async discard(): Promise<void> {
    this.#chunks.length = 0
  }

  // There is no other process, and nothing is durable here.
  onTakeover(): void {}
  onDurable(): void {}
}
