import type { StoreOptions } from '../contract/store.ts'
import { StoreError } from '../contract/store-error.ts'
import type {
  CreateOptions,
  KnownUpload,
  UploadPart,
  UploadSession,
  UploadState,
} from '../contract/upload-session.ts'
import { normalizeKey } from '../values/key.ts'
import { LruMap } from '../values/lru-map.ts'
import { checkMetadata } from '../values/metadata.ts'
import { randomId } from '../values/random-id.ts'
import { checkOptions } from './check-options.ts'
import { concatenate } from './concatenate.ts'
import type { Resumed, StagingArea } from './driver.ts'
import { Intake, partIntake } from './intake.ts'
import { Session } from './session.ts'

/**
 * The number of paused uploads whose hash state is kept in memory. The bytes of any other upload are read again when it
 * resumes.
 */
const MAX_REMEMBERED = 1000

/** The sessions of a store in this process. */
export class Sessions {
  readonly #options: StoreOptions
  readonly #area: StagingArea
  readonly #open = new Map<string, Promise<Session | null>>()
  readonly #paused = new LruMap<string, Intake>(MAX_REMEMBERED)
  #closed = false

  constructor(options: StoreOptions, area: StagingArea) {
    checkOptions(options)
    this.#options = options
    this.#area = area
  }

  /** @throws StoreError INVALID_KEY, NO_SPACE, and ABORTED when the store is closed */
  async create(name: string, options: CreateOptions = {}): Promise<UploadSession> {
    const key = normalizeKey(name)
    const { type, digest, expectedSize = 0, metadata, isPart } = options
    if (metadata !== undefined) checkMetadata(metadata)
    const id = randomId()
    return this.#opening(id, async (onEnd) => {
      // Client input: it may be NaN or negative.
      const manifest = { key, type, digest, expectedSize: Math.max(0, expectedSize) || 0, metadata, isPart }
      const hash = metadata === undefined || isPart ? undefined : await this.#area.savableHash?.()
      const staging = await this.#area.create(id, manifest)
      const intake = isPart ? partIntake(this.#options) : new Intake(this.#options, type, hash)
      return new Session(staging, intake, {
        manifest,
        id,
        known: metadata !== undefined,
        onEnd: onEnd(intake),
      })
    })
  }

  /** @throws StoreError ABORTED */
  async resume(id: string): Promise<Session | null> {
    const before = this.#open.get(id)
    return this.#opening(id, async (onEnd) => {
      await pauseOpen(before)
      const resumed = await this.#area.resume(id)
      if (resumed === null) return null
      const { staging, manifest, size } = resumed
      try {
        const intake = await this.#restoreIntake(id, resumed)
        return new Session(staging, intake, { manifest, id, known: true, onEnd: onEnd(intake) })
      } catch (error) {
        await staging.pause(size).catch(() => {})
        throw error
      }
    })
  }

  /** @throws StoreError INVALID_KEY, CORRUPT, TOO_LARGE, UNSUPPORTED_TYPE, NO_SPACE, ABORTED */
  concatenate(
    parts: readonly UploadPart[],
    name: string,
    options: CreateOptions = {},
  ): Promise<UploadSession | null> {
    const { type, digest, metadata = {} } = options
    const expectedSize = parts.reduce((sum, { size }) => sum + size, 0)
    const manifest = {
      key: normalizeKey(name),
      type,
      digest,
      expectedSize,
      metadata: checkMetadata(metadata),
    }
    const uploads = { resume: (id: string) => this.resume(id), read: this.#readPart.bind(this) }
    return concatenate(uploads, parts, manifest)
  }

  /** Runs `task` with the bytes of a part, and keeps the part. */
  async #readPart(id: string, task: (part: Resumed) => Promise<unknown>): Promise<boolean> {
    return this.#inQueue(id, async () => {
      const part = await this.#area.resume(id)
      if (part === null) return false
      try {
        await task(part)
      } finally {
        await part.staging.pause(part.size)
      }
      return true
    })
  }

  /** @throws StoreError ABORTED */
  interrupt(id: string): Promise<UploadState | null> {
    return this.#inQueue(id, () => this.#area.interrupt(id))
  }

  async get(id: string): Promise<KnownUpload | null> {
    const session = await this.#open.get(id)?.catch(() => null)
    if (session?.known) return { id, key: session.key, metadata: session.metadata, committed: null }
    return this.#area.get(id)
  }

  async list(): Promise<readonly string[]> {
    const open = await Promise.allSettled(this.#open.values())
    const known = open.flatMap((each) =>
      each.status === 'fulfilled' && each.value?.known ? [each.value.id] : [],
    )
    return [...new Set([...known, ...(await this.#area.list())])]
  }

  /** @throws StoreError ABORTED */
  delete(id: string): Promise<boolean> {
    return this.#inQueue(id, () => {
      this.#paused.delete(id)
      return this.#area.delete(id)
    })
  }

  /** Runs `task` in one queue with resumptions of the upload. Otherwise they would take the upload from each other. */
  async #inQueue<T>(id: string, task: () => Promise<T>): Promise<T> {
    const before = this.#open.get(id)
    let result: Promise<T> | undefined
    await this.#opening(id, async () => {
      await pauseOpen(before)
      result = task()
      await result
      return null
    })
    if (result === undefined) throw new StoreError('ABORTED', 'The store is closed. Open it again.')
    return result
  }

  /** Aborts the uploads that no other process can find, and pauses the others. */
  async close(): Promise<void> {
    this.#closed = true
    const ends = [...this.#open.values()].map(async (opening) => {
      const session = await opening
      await (session?.known ? session.pause() : session?.abort())
    })
    await Promise.allSettled(ends)
  }

  /** Registers the session as open until it ends. `open` may resolve to `null` if there is no such upload. */
  async #opening<T extends Session | null>(
    id: string,
    open: (onEnd: (intake: Intake) => (resumable: boolean) => void) => Promise<T>,
  ): Promise<T> {
    if (this.#closed) throw new StoreError('ABORTED', 'The store is closed. Open it again.')
    const remove = () => {
      if (this.#open.get(id) === opening) this.#open.delete(id)
    }
    const opening = open((intake) => (resumable) => {
      remove()
      if (resumable && this.#area.savableHash === undefined) this.#paused.set(id, intake)
    })
    this.#open.set(id, opening)
    opening.then((session) => session ?? remove(), remove)
    return opening
  }

  /**
   * Restores the state of counting and hashing. Uses the state that this process remembers, because durable bytes never
   * change, and reads only the bytes that another process has added since.
   */
  async #restoreIntake(id: string, { size, manifest, bytes, intake: saved }: Resumed): Promise<Intake> {
    const remembered = this.#paused.get(id)
    this.#paused.delete(id)
    if (manifest.isPart) return partIntake(this.#options, size)
    const fits = remembered?.hashes === true && remembered.size <= size
    const fresh = async () =>
      new Intake(this.#options, manifest.type, await this.#area.savableHash?.(saved?.hash))
    const intake = fits ? remembered : await fresh()
    if (saved !== undefined) intake.restore(saved)
    if (intake.size === size) return intake
    for await (const chunk of bytes(intake.size)) {
      await intake.check(chunk)
      intake.hash(chunk)
    }
    return intake
  }
}

/** Pauses the session of this process directly, because waiting for it to notice a claim would take longer. */
async function pauseOpen(opening: Promise<Session | null> | undefined): Promise<void> {
  const session = await opening?.catch(() => null)
  await session?.pause().catch(() => {})
}
