import type { Logger } from 'pino'
import type { UploadStore } from 'upload-store'
import { ClientShares, type Grant } from './client-shares.ts'
import { uploadClient } from './upload-client.ts'

/** How old a scan may be when an upload is refused, and when one is accepted, in ms. */
const MAX_AGE = { refusing: 10_000, accepting: 60_000 }
/** How many uploads are read at a time. */
const BATCH = 16

/** Counts the unfinished uploads of clients; a ticket stands for an upload that has no id yet. */
export interface UploadCount {
  begin(ticket: string, client: string): Grant | Promise<Grant>
  begun(ticket: string, id: string, client: string): void
  /** Of an upload by its id, or of a ticket whose upload could not be created. */
  ended(id: string): void
}

/**
 * The count of the process that decides, which is the primary if there are workers. Creations and ends are counted as they
 * happen. A scan of the store finds the uploads that were there before this process, and corrects what it could not see:
 * uploads that expired, that belonged to a worker that died, or that other servers created or finished in the same store.
 */
export class UnfinishedUploads implements UploadCount {
  readonly #store: UploadStore
  readonly #shares: ClientShares
  readonly #logger: Logger
  /** The client of each upload and each ticket. */
  readonly #clients = new Map<string, string>()
  /** Ids that are known to be receipts. */
  readonly #finished = new Set<string>()
  /** What began or ended during a scan, which has not seen that. */
  readonly #changed = new Set<string>()
  #scannedAt = Number.NEGATIVE_INFINITY
  #scanning: Promise<void> | undefined

  constructor(store: UploadStore, max: number, logger: Logger) {
    this.#store = store
    this.#shares = new ClientShares(max)
    this.#logger = logger
  }

  async begin(ticket: string, client: string): Promise<Grant> {
    if (this.#scannedAt === Number.NEGATIVE_INFINITY) await this.#scan()
    if (this.#shares.check(client) !== 'granted' && this.#age > MAX_AGE.refusing) await this.#scan()
    if (this.#age > MAX_AGE.accepting) void this.#scan()
    const grant = this.#shares.check(client)
    if (grant === 'granted') this.#add(ticket, client)
    return grant
  }

  begun(ticket: string, id: string, client: string): void {
    this.#remove(ticket)
    this.#add(id, client)
  }

  ended(id: string): void {
    this.#remove(id)
  }

  get #age(): number {
    return performance.now() - this.#scannedAt
  }

  #add(id: string, client: string): void {
    this.#changed.add(id)
    if (this.#clients.has(id)) return
    this.#clients.set(id, client)
    this.#shares.add(client)
  }

  #remove(id: string): void {
    this.#changed.add(id)
    const client = this.#clients.get(id)
    if (client === undefined) return
    this.#clients.delete(id)
    this.#shares.remove(client)
  }

  #scan(): Promise<void> {
    this.#scanning ??= this.#scanNow()
      .catch((error: unknown) => {
        this.#logger.error({ err: error }, 'the unfinished uploads could not be counted')
      })
      .finally(() => {
        this.#scannedAt = performance.now()
        this.#scanning = undefined
      })
    return this.#scanning
  }

  async #scanNow(): Promise<void> {
    this.#changed.clear()
    const listed = new Set(await this.#store.listUploads())
    for (const id of [...this.#clients.keys()]) {
      if (!listed.has(id) && !this.#changed.has(id)) this.#remove(id)
    }
    for (const id of this.#finished) if (!listed.has(id)) this.#finished.delete(id)
    const unknown = [...listed].filter((id) => !this.#clients.has(id) && !this.#finished.has(id))
    // When all places are taken, it does not matter by how many more uploads.
    for (let at = 0; at < unknown.length && !this.#isFull; at += BATCH) {
      await Promise.all(unknown.slice(at, at + BATCH).map((id) => this.#find(id)))
    }
  }

  get #isFull(): boolean {
    return this.#shares.check('') === 'all-used'
  }

  async #find(id: string): Promise<void> {
    const client = await this.#findClient(id)
    if (client === null) this.#finished.add(id)
    else if (!this.#changed.has(id)) this.#add(id, client)
  }

  /** `null` if the upload is finished or gone. */
  async #findClient(id: string): Promise<string | null> {
    try {
      const upload = await this.#store.getUpload(id)
      return upload === null || upload.committed !== null ? null : uploadClient(upload.metadata)
    } catch {
      // Damaged: it takes a place in the store until it expires.
      return ''
    }
  }
}
