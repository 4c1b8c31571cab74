import { StoreError, type UploadStore, uploadErrorStatus } from 'upload-store'
import { BodyConsumedError } from '../errors.ts'
import { retryAsNewest } from '../http/retry-as-newest.ts'
import { incoming, type TusRequest } from './incoming.ts'
import type { Lock, Locks } from './locks.ts'

interface TusAnswer {
  readonly status_code: number
  readonly body: string
}

interface TusLocker {
  newLock(id: string): { lock(): Promise<void>; unlock(): Promise<void> }
}

/** Options of @tus/server that belong to the data store. */
export interface TusHooks {
  /**
   * Ends the request that is under way when a newer one comes. Being asked before each use of the data store, it keeps what
   * the request says for it.
   */
  locker(request: TusRequest): TusLocker
  /**
   * Returns the status of a store's refusal, or 500 without details for an unexpected error. Removes the upload of a
   * refused creation.
   */
  onResponseError(request: TusRequest, error: unknown): Promise<TusAnswer | undefined>
}

export function hooksOf(store: UploadStore, locks: Locks): TusHooks {
  const taken = new WeakMap<TusRequest, Lock>()
  return {
    locker: (request) => {
      const said = incoming(request)
      const lock = async (id: string) => void taken.set(request, await locks.acquire(id, said))
      return { newLock: (id) => ({ lock: () => lock(id), unlock: async () => locks.release(id) }) }
    },
    onResponseError: async (request, error) => {
      const created = taken.get(request)?.created
      // Removes the upload, because the client does not know its URL. A failure here must not hide the first error.
      if (created !== undefined) await retryAsNewest(() => store.deleteUpload(created)).catch(() => {})
      return answerOf(error)
    },
  }
}

function answerOf(error: unknown): TusAnswer | undefined {
  if (typeof error === 'object' && error !== null && 'status_code' in error) return undefined
  const status = error instanceof StoreError ? uploadErrorStatus(error) : null
  if (error instanceof StoreError && error.code === 'CORRUPT')
    return {
      status_code: 410,
      body: 'The upload is damaged and cannot be resumed. Create a new upload and send the file again.\n',
    }
  if (error instanceof StoreError && status !== null)
    return { status_code: status, body: `${error.message}\n` }
  // The fault is the app's, and there is no other place that names it.
  if (error instanceof BodyConsumedError) return { status_code: 500, body: `${error.message}\n` }
  // @tus/server would add the message, and with it paths of the server.
  return { status_code: 500, body: 'The server failed.\n' }
}
