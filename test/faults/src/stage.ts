import type {
  CommitOptions,
  FsStoreOptions,
  StoredObject,
  UploadMetadata,
  UploadSession,
  UploadStore,
} from 'upload-store'
import { type Content, chunksOf, digestOf } from './content.ts'
import { damageBlob } from './disk.ts'
import type { ExpectedSession, Line } from './expectation.ts'
import { openStore } from './open-store.ts'

/** What a scenario works with: the store's operations, each announced before it begins and after it has been answered. */
export class Stage {
  readonly directory: string
  readonly #paused: readonly ExpectedSession[]
  readonly #report: (line: Line) => void
  #store: UploadStore | undefined

  constructor(directory: string, paused: readonly ExpectedSession[], report: (line: Line) => void) {
    this.directory = directory
    this.#paused = paused
    this.#report = report
  }

  /** Opened when it is first asked for. */
  get store(): UploadStore {
    this.#store ??= openStore(this.directory)
    return this.#store
  }

  /** Opens the store, so that this is no step of what follows. */
  open(options: FsStoreOptions = {}): void {
    this.#store = openStore(this.directory, options)
  }

  async put(key: string, content: Content, conditions: CommitOptions = {}): Promise<StoredObject> {
    this.#report({ type: 'begin', key, content })
    const object = await this.store.put(key, chunksOf(content), conditions)
    this.#done(key, content, object)
    return object
  }

  /** Puts without making anything durable, as another process may that shares the directory. */
  async putUnsynced(key: string, content: Content): Promise<void> {
    this.#report({ type: 'unsure', key })
    await openStore(this.directory, { durability: 'none' }).put(key, chunksOf(content))
  }

  async delete(key: string): Promise<void> {
    this.#report({ type: 'begin', key, content: null })
    await this.store.delete(key)
    this.#report({ type: 'done', key, content: null })
  }

  async create(key: string, content: Content, metadata?: UploadMetadata): Promise<UploadSession> {
    if (metadata !== undefined) this.#report({ type: 'creating' })
    const session = await this.store.createUpload(key, { metadata })
    this.#report({ type: 'created', id: session.id, content, known: metadata !== undefined })
    return session
  }

  /** Seals and commits; `session` need not have been paused. */
  async commit(session: UploadSession, content: Content, conditions: CommitOptions = {}): Promise<void> {
    this.#report({ type: 'begin', key: session.key, content })
    this.#report({ type: 'ending', id: session.id, key: session.key })
    const object = await session.commit(conditions)
    this.#done(session.key, content, object)
    this.#report({ type: 'ended', id: session.id })
  }

  async abort(session: UploadSession): Promise<void> {
    this.#report({ type: 'ending', id: session.id, key: null })
    await session.abort()
    this.#report({ type: 'ended', id: session.id })
  }

  async pause(session: UploadSession, content: Content): Promise<void> {
    const offset = await session.pause()
    this.#report({ type: 'paused', id: session.id, content, offset })
  }

  /** Goes on with the first session that an earlier process left paused. */
  async resume(): Promise<UploadSession> {
    const [paused] = this.#paused
    const session = paused === undefined ? null : await this.store.resumeUpload(paused.id)
    if (session === null) throw new Error('No session is paused')
    return session
  }

  /** Asks for the first session that an earlier process left. */
  async interrupt(): Promise<void> {
    for (const { id } of this.#paused.slice(0, 1)) await this.store.interruptUpload(id)
  }

  /** Removes the first session that an earlier process left. */
  async deleteUpload(): Promise<void> {
    for (const { id } of this.#paused.slice(0, 1)) {
      this.#report({ type: 'ending', id, key: null })
      await this.store.deleteUpload(id)
      this.#report({ type: 'ended', id })
    }
  }

  /** Whether the first session that an earlier process left is an object now. */
  async isCommitted(): Promise<boolean> {
    const [paused] = this.#paused
    return paused !== undefined && (await this.store.interruptUpload(paused.id))?.committed != null
  }

  /** Sweeps as when every paused session has waited long enough. */
  async expire(): Promise<void> {
    for (const { id } of this.#paused) this.#report({ type: 'ending', id, key: null })
    const { expired } = await openStore(this.directory, { expireAfter: 0 }).sweep()
    // What cannot be looked at now is left to the next sweep.
    if (expired < this.#paused.length) return
    for (const { id } of this.#paused) this.#report({ type: 'ended', id })
  }

  /** Damages the bytes that some keys share. */
  damage(keys: readonly [string, ...string[]], content: Content): void {
    damageBlob(this.directory, keys[0])
    for (const key of keys) this.#report({ type: 'damaged', key, content })
  }

  /** Damages the bytes that some keys share, which an operation is to replace: until then they may hold anything. */
  damageUnseen(keys: readonly [string, ...string[]]): void {
    damageBlob(this.directory, keys[0])
    for (const key of keys) this.#report({ type: 'unsure', key })
  }

  /** The operation before it has given `key` this content, without naming the key. */
  expect(key: string, content: Content): void {
    this.#report({ type: 'done', key, content })
  }

  #done(key: string, content: Content, { digest, size }: StoredObject): void {
    if (digest !== digestOf(content) || size !== content.size) {
      this.#report({ type: 'fault', text: `${key} was answered with ${size} bytes and digest ${digest}` })
    }
    this.#report({ type: 'done', key, content })
  }
}
