import { StoreError } from '../contract/store-error.ts'
import type { CommitOptions } from '../contract/upload-session.ts'

/** @throws StoreError PRECONDITION_FAILED when what the key holds now (`etag`) is not what the caller asks for */
export function checkConditions(key: string, etag: string | undefined, conditions: CommitOptions): void {
  if (conditions.ifNoneMatch === '*' && etag !== undefined) {
    throw new StoreError(
      'PRECONDITION_FAILED',
      `${JSON.stringify(key)} already exists. Choose another key, or replace it by its entity-tag.`,
    )
  }
  const { ifMatch } = conditions
  if (ifMatch !== undefined && (ifMatch === '*' ? etag === undefined : ifMatch !== etag)) {
    const state = etag === undefined ? 'does not exist' : 'has been changed'
    throw new StoreError(
      'PRECONDITION_FAILED',
      `${JSON.stringify(key)} ${state}. Read it again, then decide.`,
    )
  }
}
