import { StoreError } from 'upload-store'

/** Other processes may ask at the same time. */
const TRIES = 6

/**
 * Runs an action that stops earlier writers, and retries it if another request interferes.
 *
 * @throws StoreError ABORTED where others came after us each time
 */
export async function retryAsNewest<T>(task: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await task()
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'ABORTED' || tried === TRIES) throw error
      await new Promise((resolve) => setTimeout(resolve, tried * 20 * Math.random()))
    }
  }
}

/** Codes of errors after which an upload cannot be completed any more. */
const FINAL = new Set([
  'TOO_LARGE',
  'UNSUPPORTED_TYPE',
  'DIGEST_MISMATCH',
  'PRECONDITION_FAILED',
  'INVALID_KEY',
])

/** Returns whether an upload cannot be completed any more after an error of the store: retries would fail, too. */
export function isFinal(error: unknown): boolean {
  return error instanceof StoreError && FINAL.has(error.code)
}
