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
import { KeyedQueue } from '../values/task-queue.ts'
import { checkOptions } from './check-options.ts'
import { concatenate } from './concatenate.ts'
import type { Manifest, Resumed, SourceFile, Staging, StagingArea } from './driver.ts'
import { Intake, partIntake } from './intake/intake.ts'
import { UploadLimits } from './intake/upload-limits.ts'
import { Session } from './session.ts'

/**
 * The number of paused uploads whose hash state is kept in memory. The bytes of any other upload are read again when it
 * resumes.
 */
const MAX_REMEMBERED = 1000

export interface FileOptions extends Pick<SourceFile, 'path' | 'by'> {
  /** Bytes, for the check of space. */
  readonly size: number
  readonly onProgress?: ((bytes: number) => void) | undefined
}

/** The sessions of a store in this process. */
export class Sessions {
  readonly #options: StoreOptions
  readonly #area: StagingArea
  readonly #open = new Map<string, Session>()
  /** Run one task of an upload after the other. Otherwise they would take the upload from each other. */
  readonly #turns = new KeyedQueue()
  readonly #paused = new LruMap<string, Intake>(MAX_REMEMBERED)
  readonly #limits: UploadLimits
  #closed = false

  /** @param find resolves to the object of a key, or to `null` */
  constructor(options: StoreOptions, area: StagingArea, find: (key: string) => Promise<unknown>) {
    checkOptions(options)
    this.#options = options
    this.#area = area
    this.#limits = new UploadLimits(options, find)
  }

  /** @throws StoreError INVALID_KEY, NO_SPACE, and ABORTED when the store is closed */
  async create(name: string, options: CreateOptions = {}): Promise<UploadSession> {
    const key = normalizeKey(name)
    const { type, digest, expectedSize = 0, metadata, isPart } = options
    if (metadata !== undefined) checkMetadata(metadata)
    const id = randomId()
    // Client input: it may be NaN or negative.
    const manifest = { key, type, digest, expectedSize: Math.max(0, expectedSize) || 0, metadata, isPart }
    return this.#inTurn(id, async () => {
      const hash = metadata === undefined || isPart ? undefined : await this.#area.savableHash?.()
      const staging = await this.#area.create(id, manifest)
      const limits = this.#limits.mayDiffer(key) ? await this.#limits.limitsFor(key) : this.#options
      const intake = isPart ? partIntake(this.#options) : new Intake(limits, type, hash)
      return this.#register(id, manifest, staging, intake)
    })
  }

  /**
   * Creates an upload that has the bytes of a file.
   *
   * @throws StoreError INVALID_KEY, NO_SPACE, TOO_LARGE, UNSUPPORTED_TYPE; what the file system throws for the file
   */
  async createFromFile(name: string, { path, by, size, onProgress }: FileOptions): Promise<UploadSession> {
    const key = normalizeKey(name)
    const id = randomId()
    const manifest = { key, type: undefined, digest: undefined, expectedSize: size, metadata: undefined }
    const intake = new Intake(await this.#limits.limitsFor(key), undefined)
    const accept = (bytes: Uint8Array) => {
      const checking = intake.check(bytes)
      intake.hash(bytes)
      onProgress?.(bytes.length)
      return checking
    }
    return this.#inTurn(id, async () => {
      const staging = await this.#area.createFromFile?.(id, manifest, { path, by, accept })
      if (staging === undefined)
        throw new TypeError('This store cannot bring files. Append a stream of the file.')
      return this.#register(id, manifest, staging, intake)
    })
  }

  /** @throws StoreError ABORTED */
  resume(id: string): Promise<Session | null> {
    return this.#afterPause(id, async () => {
      const resumed = await this.#area.resume(id)
      if (resumed === null) return null
      const { staging, manifest, size } = resumed
      try {
        const metadata = manifest.metadata ?? {}
        return this.#register(id, { ...manifest, metadata }, staging, await this.#restoreIntake(id, resumed))
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
    const key = normalizeKey(name)
    const expectedSize = parts.reduce((sum, { size }) => sum + size, 0)
    const manifest = { key, type, digest, expectedSize, metadata: checkMetadata(metadata) }
    const uploads = { resume: (id: string) => this.resume(id), read: this.#readPart.bind(this) }
    return concatenate(uploads, parts, manifest)
  }

  /** Runs `task` with the bytes of a part, and keeps the part. */
  #readPart(id: string, task: (part: Resumed) => Promise<unknown>): Promise<boolean> {
    return this.#afterPause(id, async () => {
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
    return this.#afterPause(id, () => this.#area.interrupt(id))
  }

  async get(id: string): Promise<KnownUpload | null> {
    const session = this.#open.get(id)
    if (session?.known) return { id, key: session.key, metadata: session.metadata, committed: null }
    return this.#area.get(id)
  }

  async list(): Promise<readonly string[]> {
    const known = [...this.#open.values()].flatMap((each) => (each.known ? [each.id] : []))
    return [...new Set([...known, ...(await this.#area.list())])]
  }

  /** @throws StoreError ABORTED */
  delete(id: string): Promise<boolean> {
    return this.#afterPause(id, () => {
      this.#paused.delete(id)
      return this.#area.delete(id)
    })
  }

  /** @throws StoreError ABORTED */
  leaveReceipt(id: string, whole: string): Promise<boolean> {
    return this.#afterPause(id, () => {
      this.#paused.delete(id)
      return this.#area.leaveReceipt(id, whole)
    })
  }

  /** Aborts the uploads that no other process can find, and pauses the others. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#turns.idle()
    const ends = [...this.#open.values()].map((each) => (each.known ? each.pause() : each.abort()))
    await Promise.allSettled(ends)
    await this.#area.close?.()
  }

  async #inTurn<T>(id: string, task: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreError('ABORTED', 'The store is closed. Open it again.')
    return this.#turns.run(id, task)
  }

  /** Pauses the upload's session first. That is quicker than letting it notice a claim. */
  #afterPause<T>(id: string, task: () => Promise<T>): Promise<T> {
    return this.#inTurn(id, async () => {
      await this.#open
        .get(id)
        ?.pause()
        .catch(() => {})
      return task()
    })
  }

  /** @param manifest its `metadata` is `undefined` if no other process can find the upload */
  #register(id: string, manifest: Manifest, staging: Staging, intake: Intake): Session {
    const onEnd = (resumable: boolean) => {
      if (this.#open.get(id) === session) this.#open.delete(id)
      if (resumable && this.#area.savableHash === undefined) this.#paused.set(id, intake)
    }
    const known = manifest.metadata !== undefined
    const session = new Session(staging, intake, { manifest, id, known, onEnd, limits: this.#limits })
    this.#open.set(id, session)
    return session
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
      new Intake(
        await this.#limits.limitsFor(manifest.key),
        manifest.type,
        await this.#area.savableHash?.(saved?.hash),
      )
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
