import { EventEmitter } from 'node:events'
import type { Readable } from 'node:stream'
import {
  type StoredObject,
  StoreError,
  type UploadSession,
  type UploadState,
  type UploadStore,
} from 'upload-store'
import { TusError, unknownTusUpload } from '../errors.ts'
import { isFinal, retryAsNewest } from '../http/retry-as-newest.ts'
import { isUploadId } from '../http/upload-id.ts'
import { CHECKSUM_ALGORITHMS, type Checksum } from './checksum.ts'
import { hooksOf, type TusHooks } from './hooks.ts'
import { Locks } from './locks.ts'
import { type TusOptions, type TusSettings, withDefaults } from './tus-options.ts'
import { isTus, lengthOf, storeMetadata, type TusUpload, uploadOf, withLength } from './tus-upload.ts'

/** A data store of @tus/server over an upload store: `new Server({ datastore, ...datastore.hooks, path })`. */
class TusDataStore extends EventEmitter {
  readonly extensions: string[] = [
    'creation',
    'creation-with-upload',
    'creation-defer-length',
    'termination',
    'expiration',
    'checksum',
  ]
  /** The value of Tus-Checksum-Algorithm, which @tus/server does not send. */
  readonly checksumAlgorithms: string = CHECKSUM_ALGORITHMS
  readonly hooks: TusHooks
  readonly #store: UploadStore
  readonly #locks: Locks
  readonly #settings: TusSettings

  constructor(store: UploadStore, options: TusOptions) {
    super()
    this.#store = store
    this.#locks = new Locks(store)
    this.hooks = hooksOf(store, this.#locks)
    this.#settings = withDefaults(options)
  }

  hasExtension(extension: string): boolean {
    return this.extensions.includes(extension)
  }

  /** Begins an upload, whose id becomes the store's. */
  async create(upload: TusUpload): Promise<TusUpload> {
    const { id } = upload
    // Refused before anything is stored.
    this.#locks.of(id)
    const { key, type, metadata = {} } = await this.#settings.resolveTarget(upload.metadata ?? {})
    const options = { type, expectedSize: upload.size, metadata: storeMetadata(upload, metadata) }
    const session = await this.#store.createUpload(key, options).catch((error: unknown) => {
      throw error instanceof RangeError ? new TusError(431, `Upload-Metadata: ${error.message}`) : error
    })
    upload.id = session.id
    this.#locks.created(id, session.id)
    if (upload.size === 0) await this.#commit(session)
    else await session.pause()
    const { expireAfter, expireEmptyAfter } = this.#settings
    // For Upload-Expires, which @tus/server makes by adding `expireAfter`.
    upload.creation_date = new Date(Date.now() + expireEmptyAfter - expireAfter).toISOString()
    return upload
  }

  /** Resolves to the new offset. Appends bytes at `offset`, and publishes the upload once it is complete. */
  async write(source: Readable, id: string, offset: number): Promise<number> {
    const lock = this.#locks.of(id)
    const { checksum, contentLength } = lock.request
    const session = await this.#resume(id)
    if (session === null) return this.#reached(id, offset)
    try {
      if (lock.isCancelled)
        throw new StoreError('ABORTED', 'A newer request has resumed the upload, so this one was stopped.')
      const verify = checksum === null ? undefined : () => checksum.verify()
      await session.append(offset, content(source, contentLength, checksum), { verify })
    } catch (error) {
      await end(session, isFinal(error))
      throw error
    }
    if (session.offset !== lengthOf(session.metadata)) return session.pause()
    return (await this.#commit(session)).size
  }

  /** Returns the upload. Stops its current writer, and publishes it if its process was killed just before that. */
  async getUpload(id: string): Promise<TusUpload> {
    const state = await this.#interrupt(id)
    const whole = state.committed === null && state.offset === lengthOf(state.metadata)
    const committed = whole ? await this.#finish(id) : state.committed
    return uploadOf(state, committed, this.#settings.expireAfter)
  }

  async declareUploadLength(id: string, length: number): Promise<void> {
    const session = await this.#resume(id)
    if (session === null) throw unknownTusUpload()
    try {
      await session.setMetadata(withLength(session.metadata, length))
    } finally {
      await end(session, false)
    }
  }

  /** Removes an upload, or what is known of a finished one: its object stays. */
  async remove(id: string): Promise<void> {
    const known = isUploadId(id) ? await this.#store.getUpload(id) : null
    const ours = known !== null && isTus(known.metadata)
    if (!ours || !(await retryAsNewest(() => this.#store.deleteUpload(id)))) throw unknownTusUpload()
  }

  getExpiration(): number {
    return this.#settings.expireAfter
  }

  /** Sweeps the store: objects never expire. Resolves to how many uploads had expired. */
  async deleteExpired(): Promise<number> {
    return (await this.#store.sweep()).expired
  }

  async #interrupt(id: string): Promise<UploadState> {
    const state = isUploadId(id) ? await retryAsNewest(() => this.#store.interruptUpload(id)) : null
    if (state === null || !isTus(state.metadata)) throw unknownTusUpload()
    return state
  }

  async #resume(id: string): Promise<UploadSession | null> {
    return isUploadId(id) ? this.#store.resumeUpload(id) : null
  }

  /** A client that missed the answer to its last bytes asks again with none. */
  async #reached(id: string, offset: number): Promise<number> {
    const { committed, offset: reached } = await this.#interrupt(id)
    if (committed !== null && reached === offset) return offset
    throw new StoreError(
      'OFFSET_MISMATCH',
      `The upload has ${reached} bytes; an append at ${offset} does not continue it. Resume at ${reached}.`,
    )
  }

  async #finish(id: string): Promise<StoredObject | null> {
    const session = await this.#store.resumeUpload(id)
    return session === null ? (await this.#interrupt(id)).committed : this.#commit(session)
  }

  async #commit(session: UploadSession): Promise<StoredObject> {
    try {
      return await this.#settings.commit(session)
    } catch (error) {
      await end(session, isFinal(error))
      throw error
    }
  }
}

export type { TusDataStore }

/**
 * Makes a data store for @tus/server: what tus uploads is an object of `store` when its length has come, or nothing.
 *
 * @see https://tus.io/protocols/resumable-upload (1.0.0)
 * @example
 * const datastore = tusDataStore(createFsStore('data'))
 * const server = new Server({ path: '/files', datastore, ...datastore.hooks })
 */
export function tusDataStore(store: UploadStore, options: TusOptions = {}): TusDataStore {
  return new TusDataStore(store, options)
}

/** Aborts the upload if its bytes are useless; otherwise pauses it, so that it can be resumed. */
async function end(session: UploadSession, useless: boolean): Promise<void> {
  await (useless ? session.abort() : session.pause()).catch(() => {})
}

async function* content(
  source: Readable,
  contentLength: number | null,
  checksum: Checksum | null,
): AsyncGenerator<Uint8Array> {
  let size = 0
  // Destroyed, it would fail the pipeline of @tus/server before our own error does.
  for await (const chunk of source.iterator({ destroyOnReturn: false })) {
    size += chunk.length
    checksum?.update(chunk)
    yield chunk
  }
  // @tus/server ends what a client has cut off as if all had come.
  if (contentLength !== null && size < contentLength)
    throw new TusError(400, 'The request ended before its Content-Length. Resume the upload.')
}
