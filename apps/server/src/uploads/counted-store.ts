import { randomUUID } from 'node:crypto'
import createError from 'http-errors'
import type { CreateOptions, UploadSession, UploadStore } from 'upload-store'
import type { Grant } from './client-shares.ts'
import type { UploadCount } from './unfinished-uploads.ts'
import { uploadClient } from './upload-client.ts'

/** How soon a client should try again, in seconds: places become free when uploads finish or expire. */
const RETRY_AFTER = '60'

/** Returns `store` with a limit for the uploads that are created to be resumed: 429 if the client has too many. */
export function countedStore(store: UploadStore, count: UploadCount): UploadStore {
  async function begin(key: string, options: CreateOptions, client: string): Promise<UploadSession> {
    const ticket = randomUUID()
    const grant = await count.begin(ticket, client)
    if (grant !== 'granted') throw tooMany(grant)
    try {
      const session = await store.createUpload(key, options)
      count.begun(ticket, session.id, client)
      return countedSession(session, store, count)
    } catch (error) {
      count.ended(ticket)
      throw error
    }
  }

  return {
    limits: store.limits,
    put: (key, source, options) => store.put(key, source, options),
    get: (key) => store.get(key),
    list: (options) => store.list(options),
    listRevision: () => store.listRevision(),
    delete: (key, options) => store.delete(key, options),
    interruptUpload: (id) => store.interruptUpload(id),
    getUpload: (id) => store.getUpload(id),
    listUploads: () => store.listUploads(),
    checkSpace: (size) => store.checkSpace(size),
    recover: () => store.recover(),
    sweep: () => store.sweep(),
    verify: (options) => store.verify(options),
    close: () => store.close(),
    createUpload: (key, options = {}) =>
      options.metadata
        ? begin(key, options, uploadClient(options.metadata))
        : store.createUpload(key, options),
    resumeUpload: async (id) => {
      const session = await store.resumeUpload(id)
      return session === null ? null : countedSession(session, store, count)
    },
    concatenateUploads: async (parts, key, options) => {
      const session = await store.concatenateUploads(parts, key, options)
      return session === null ? null : countedSession(session, store, count)
    },
    deleteUpload: async (id) => {
      const existed = await store.deleteUpload(id)
      count.ended(id)
      return existed
    },
    leaveReceipt: async (id, whole) => {
      const isLeft = await store.leaveReceipt(id, whole)
      if (isLeft) count.ended(id)
      return isLeft
    },
  }
}

function countedSession(session: UploadSession, store: UploadStore, count: UploadCount): UploadSession {
  const { id, key } = session

  /** `abort` does nothing to a paused upload, and another process may have paused it. */
  async function endIfGone(): Promise<void> {
    if ((await store.getUpload(id)) === null) count.ended(id)
  }

  return {
    id,
    key,
    get offset() {
      return session.offset
    },
    get metadata() {
      return session.metadata
    },
    append: (offset, source, options) => session.append(offset, source, options),
    setMetadata: (metadata) => session.setMetadata(metadata),
    pause: () => session.pause(),
    seal: () => session.seal(),
    stream: () => session.stream(),
    commit: async (options) => {
      const object = await session.commit(options)
      count.ended(id)
      return object
    },
    abort: async () => {
      await session.abort()
      // If the store cannot answer now, the next scan corrects the count.
      await endIfGone().catch(() => {})
    },
  }
}

function tooMany(grant: Grant): Error {
  const detail =
    grant === 'all-used'
      ? 'This server has reached its limit of unfinished uploads. Try again later.'
      : 'Your address has reached its limit of unfinished uploads. Finish or cancel some of them, or try again later.'
  return createError(429, detail, { headers: { 'Retry-After': RETRY_AFTER } })
}
