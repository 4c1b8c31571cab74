import type { StoreOptions } from '../../contract/store.ts'
import { StoreError } from '../../contract/store-error.ts'
import type { SealedUpload } from '../../contract/upload-session.ts'
import { companionKeys } from '../../values/companion.ts'
import { checkAcceptedType } from './accepted-type.ts'

/** The maximum size of a companion in bytes: a page reads all of it at once. */
const MAX_SIZE = 1024 ** 2

/** The limits of each upload: those of the store, or those of a companion of an object that exists. */
export class UploadLimits {
  readonly #options: StoreOptions
  readonly #find: (key: string) => Promise<unknown>

  /** @param find resolves to the object of a key, or to `null` */
  constructor(options: StoreOptions, find: (key: string) => Promise<unknown>) {
    this.#options = options
    this.#find = find
  }

  /** Whether an upload for this key may have other limits than the store. */
  mayDiffer(key: string): boolean {
    return this.#options.companions === true && companionKeys(key).length > 0
  }

  async limitsFor(key: string): Promise<StoreOptions> {
    if (!(this.mayDiffer(key) && (await this.#isCompanion(key)))) return this.#options
    const accept = [key.endsWith('.vtt') ? 'text/vtt' : 'image/jpeg']
    return {
      ...this.#options,
      accept,
      maxFileSize: Math.min(MAX_SIZE, this.#options.maxFileSize ?? MAX_SIZE),
    }
  }

  /**
   * Checks an upload that is published under another key than it was created for, or whose object may be gone.
   *
   * @throws StoreError UNSUPPORTED_TYPE, TOO_LARGE
   */
  async check(key: string, { type, size }: SealedUpload): Promise<void> {
    const { accept, maxFileSize = size } = await this.limitsFor(key)
    checkAcceptedType(type, accept)
    if (size > maxFileSize)
      throw new StoreError(
        'TOO_LARGE',
        `${key} has ${size} bytes; the limit is ${maxFileSize}. Send a smaller file.`,
      )
  }

  async #isCompanion(key: string): Promise<boolean> {
    for (const owner of companionKeys(key)) if (await this.#exists(owner)) return true
    return false
  }

  async #exists(key: string): Promise<boolean> {
    try {
      return (await this.#find(key)) !== null
    } catch (error) {
      // A damaged object can be repaired, and keeps its companions.
      if (error instanceof StoreError && error.code === 'CORRUPT') return true
      throw error
    }
  }
}
