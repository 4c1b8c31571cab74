import { StoreError, uploadErrorStatus } from 'upload-store'
import { remember, type TusRequest } from './incoming.ts'

interface TusAnswer {
  readonly status_code: number
  readonly body: string
}

/** Options of @tus/server that belong to the data store. */
export interface TusHooks {
  /** Locks nothing: the store itself ends the request that is under way when a newer one comes. */
  readonly locker: {
    newLock(): { lock(): Promise<void>; unlock(): Promise<void> }
  }
  /** To be called by an `onIncomingRequest` of the app's own, which replaces it. */
  onIncomingRequest(request: TusRequest): Promise<void>
  /** The status of the store's refusals, and 500 without a word about why for what nobody foresaw. */
  onResponseError(request: TusRequest, error: unknown): TusAnswer | undefined
}

export const HOOKS: TusHooks = {
  locker: { newLock: () => ({ lock: async () => {}, unlock: async () => {} }) },
  onIncomingRequest: async (request) => remember(request),
  onResponseError: (_request, error) => answerOf(error),
}

function answerOf(error: unknown): TusAnswer | undefined {
  if (typeof error === 'object' && error !== null && 'status_code' in error) return undefined
  const status = error instanceof StoreError ? uploadErrorStatus(error) : null
  if (error instanceof StoreError && error.code === 'CORRUPT')
    return { status_code: 410, body: 'The upload is damaged and cannot go on.\n' }
  if (error instanceof StoreError && status !== null)
    return { status_code: status, body: `${error.message}\n` }
  // @tus/server would add the message, and with it paths of ours.
  return { status_code: 500, body: 'The server failed.\n' }
}
