import type { FileHandle } from 'node:fs/promises'
import type { Intent, Staging } from '../driver.ts'
import { isWanted } from './epoch.ts'
import { removeIfThere, withNoSpace, writeAll } from './files.ts'
import type { FsContext } from './fs-context.ts'
import { formatIntent, type PausedIntent } from './intent.ts'
import type { Lock } from './lock.ts'
import { currentBoot } from './owner.ts'
import { Publication } from './publish.ts'
import type { Reservation } from './space.ts'

/** How often a session looks whether another process wants it: an offset is to be told within 100 ms. */
const WATCH_INTERVAL = 40

/** How much may wait to be written back before that begins, in bytes. */
const WRITE_BACK = 32 * 1024 ** 2

/** Removes every file that can be called by `id` but its lock, for good. */
export async function discardFiles({ layout, disk }: FsContext, id: string): Promise<void> {
  const { part, draft, intent, epoch } = layout
  const paths = [part(id), draft(id), intent(id), epoch(id), `${part(id)}.tmp`, `${intent(id)}.tmp`]
  for (const path of paths) await removeIfThere(path)
  await disk.syncDirectory(layout.staging)
}

export interface FileStagingParts {
  readonly id: string
  readonly intent: Intent
  readonly lock: Lock
  readonly file: FileHandle
  readonly reservation: Reservation
  readonly epoch: string
  readonly resumed: boolean
  /** The offset of the last pause. */
  readonly pausedAt: number
}

/** One upload in a file of its own, which becomes a blob without a copy. */
export class FileStaging implements Staging {
  readonly #context: FsContext
  readonly #parts: FileStagingParts
  readonly #publication: Publication
  #open = true
  #onTakeover: () => void = () => {}
  #watching: NodeJS.Timeout | undefined
  #dirty = 0
  /** Rejected for ever once it has been. */
  #writtenBack: Promise<void> = Promise.resolve()
  #synced: Promise<void> | undefined

  constructor(context: FsContext, parts: FileStagingParts) {
    this.#context = context
    this.#parts = parts
    this.#publication = new Publication(context, parts.id, parts.resumed)
    if (parts.resumed) this.#watch()
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const { file, reservation } = this.#parts
    const admitted = reservation.take(bytes.length)
    if (admitted !== undefined) await admitted
    await withNoSpace(writeAll(file, bytes, position))
    this.#dirty += bytes.length
    if (this.#dirty >= WRITE_BACK) this.#writeBack()
  }

  /** Lets the disk begin: else all of it would wait for seal, and the client with it. */
  #writeBack(): void {
    this.#dirty = 0
    this.#writtenBack = this.#writtenBack.then(() => this.#context.disk.sync(this.#parts.file))
    // Whoever syncs next is told.
    this.#writtenBack.catch(() => {})
  }

  async seal(): Promise<void> {
    await withNoSpace(this.#sync())
    // Nothing more will come.
    this.#parts.reservation.release()
    await this.#close()
  }

  async pause(offset: number): Promise<string> {
    const { epoch, resumed } = this.#parts
    try {
      await this.#publication.undo()
      await withNoSpace(this.#sync())
      await withNoSpace(this.#writeIntent({ offset, epoch, boot: currentBoot() }))
    } catch (error) {
      // Somebody may wait to take over, from the offset of the pause before.
      if (resumed) await this.#cutBack().finally(() => this.#end())
      throw error
    }
    await this.#end()
    return epoch
  }

  /**
   * A system reports once that it could not write, and counts the bytes as written from then on: the next sync succeeds
   * over bytes that are lost. So the first failure is the answer for ever.
   */
  #sync(): Promise<void> {
    this.#synced ??= this.#writtenBack.then(() =>
      this.#open ? this.#context.disk.sync(this.#parts.file) : undefined,
    )
    return this.#synced
  }

  /** Lets whoever resumes believe nothing that came after the last pause. */
  async #cutBack(): Promise<void> {
    const failed = await this.#synced?.then(
      () => false,
      () => true,
    )
    const { pausedAt, epoch } = this.#parts
    if (failed) await this.#writeIntent({ offset: pausedAt, epoch, boot: '' }).catch(() => {})
  }

  async #writeIntent(state: Omit<PausedIntent, keyof Intent>): Promise<void> {
    const { id, intent } = this.#parts
    const { key, type, digest } = intent
    const { layout, disk } = this.#context
    await disk.replaceFile(layout.intent(id), formatIntent({ key, type, digest, ...state }))
  }

  async publish(...args: Parameters<Staging['publish']>): Promise<void> {
    await withNoSpace(this.#publication.publish(...args))
    // What cannot be cleaned up now is an orphan for sweep, and no reason to fail the upload.
    await this.#discardFiles().catch(() => {})
    await this.#end()
  }

  async discard(): Promise<void> {
    await this.#close()
    // The part first: a blob takes its digest link with it where that is the last name of the bytes.
    await this.#discardFiles()
    await this.#publication.undo()
    await this.#end()
  }

  async #discardFiles(): Promise<void> {
    const { id, resumed } = this.#parts
    // The usual upload has one file, and 50 more a second of them need not be looked for.
    if (resumed) await discardFiles(this.#context, id)
    else await removeIfThere(this.#context.layout.part(id))
  }

  onTakeover(listener: () => void): void {
    this.#onTakeover = listener
  }

  #watch(): void {
    const path = this.#context.layout.epoch(this.#parts.id)
    // Again and again until it has let go: the first time there may be no listener yet, and a pause may fail.
    this.#watching = setInterval(() => {
      if (isWanted(path, this.#parts.epoch)) this.#onTakeover()
    }, WATCH_INTERVAL).unref()
  }

  async #close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#writtenBack.catch(() => {})
    await this.#parts.file.close()
  }

  async #end(): Promise<void> {
    clearInterval(this.#watching)
    await this.#close().catch(() => {})
    this.#parts.reservation.release()
    this.#parts.lock.release()
  }
}
