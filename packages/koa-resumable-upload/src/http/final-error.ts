import { StoreError } from 'upload-store'

const FINAL = new Set([
  'TOO_LARGE',
  'UNSUPPORTED_TYPE',
  'DIGEST_MISMATCH',
  'PRECONDITION_FAILED',
  'INVALID_KEY',
])

/** Whether an error of the store leaves an upload of no use. */
export function isFinal(error: unknown): boolean {
  return error instanceof StoreError && FINAL.has(error.code)
}
