import { randomBytes } from 'node:crypto'
import { checkKey } from './key.ts'
import { Session, type Staging } from './session.ts'
import type { CreateOptions, StoreOptions, UploadSession } from './store.ts'
import { StoreError } from './store-error.ts'

/** The open sessions of a store. */
export class Sessions {
  readonly #options: StoreOptions
  readonly #stage: (id: string) => Promise<Staging>
  readonly #open = new Set<Promise<UploadSession>>()
  #closed = false

  constructor(options: StoreOptions, stage: (id: string) => Promise<Staging>) {
    this.#options = options
    this.#stage = stage
  }

  /** @throws StoreError INVALID_KEY, NO_SPACE, and ABORTED when the store is closed */
  async create(key: string, { type, digest }: CreateOptions = {}): Promise<UploadSession> {
    checkKey(key)
    if (this.#closed) throw new StoreError('ABORTED', 'The store is closed.')
    const id = randomBytes(16).toString('base64url')
    const opening: Promise<UploadSession> = this.#stage(id).then(
      (staging) =>
        new Session(staging, {
          ...this.#options,
          type,
          digest,
          id,
          key,
          onEnd: () => this.#open.delete(opening),
        }),
    )
    this.#open.add(opening)
    opening.catch(() => this.#open.delete(opening))
    return opening
  }

  async close(): Promise<void> {
    this.#closed = true
    const aborts = [...this.#open].map(async (opening) => (await opening).abort())
    await Promise.allSettled(aborts)
  }
}
