import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod, copyFile, type FileHandle, open, rename, stat } from 'node:fs/promises'
import type { Intent, Resumed, Staging, StagingArea } from '../driver.ts'
import { StoreError } from '../store-error.ts'
import { hasCode, removeIfThere, withNoSpace, writeAll } from './files.ts'
import type { FsContext } from './fs-context.ts'
import { formatIntent, type PausedIntent, readIntent } from './intent.ts'
import { type Layout, SESSION_ID } from './layout.ts'
import { type Lock, makeLink, readLink, removeLink } from './lock.ts'
import { currentBoot } from './owner.ts'
import { Publication } from './publish.ts'
import type { Reservation } from './space.ts'

/** How often a session looks whether another process wants it: an offset is to be told within 100 ms. */
const WATCH_INTERVAL = 40

/** Stages uploads in files of their own, which become blobs without a copy. */
export function fsStagingArea(context: FsContext): StagingArea {
  const { layout, locks, space } = context
  return {
    create: async (id, intent, expectedSize) => {
      const reservation = await space.reserve(expectedSize)
      try {
        const lock = await withNoSpace(locks.acquire(id))
        const file = await withNoSpace(open(layout.part(id), 'wx', 0o600)).catch((error) => {
          lock.release()
          throw error
        })
        const parts = { id, intent, lock, file, reservation, epoch: randomId(), resumed: false }
        return new FileStaging(context, parts)
      } catch (error) {
        reservation.release()
        throw error
      }
    },
    resume: async (id) => {
      if (!SESSION_ID.test(id) || (await readIntent(layout.intent(id))) === null) return null
      const epoch = randomId()
      claimEpoch(layout.epoch(id), epoch)
      const lock = await locks.acquire(id, () => checkEpoch(layout.epoch(id), epoch))
      try {
        checkEpoch(layout.epoch(id), epoch)
        return await takeOver(context, id, epoch, lock)
      } catch (error) {
        lock.release()
        throw error
      }
    },
  }
}

/** Opens what the session before has left; call under its lock. */
async function takeOver(context: FsContext, id: string, epoch: string, lock: Lock): Promise<Resumed | null> {
  const { layout, disk, space } = context
  const intent = await readIntent(layout.intent(id))
  const file = intent === null ? null : await openPart(layout.part(id))
  if (intent === null || file === null) {
    // Committed or aborted while we waited.
    await discardFiles(layout, id)
    lock.release()
    return null
  }
  try {
    const size = await trustedSize(file, intent)
    if (intent.boot !== currentBoot()) {
      await disk.sync(file)
      await disk.replaceFile(layout.intent(id), formatIntent({ ...intent, boot: currentBoot() }))
    }
    const reservation = await space.reserve(0)
    const staging = new FileStaging(context, { id, intent, lock, file, reservation, epoch, resumed: true })
    const bytes = () => file.createReadStream({ start: 0, end: size - 1, autoClose: false })
    return { staging, intent, size, epoch: intent.epoch, bytes: size === 0 ? nothing : bytes }
  } catch (error) {
    await file.close()
    throw error
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** `null` where there is none. */
async function openPart(path: string): Promise<FileHandle | null> {
  try {
    // Sealed, and perhaps linked as a blob by a process that died right then: other objects may share these bytes.
    if ((await stat(path)).nlink > 1) {
      await copyFile(path, `${path}.tmp`, constants.COPYFILE_FICLONE)
      await rename(`${path}.tmp`, path)
    }
    await chmod(path, 0o600)
    return await open(path, 'r+')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

/** A page cache outlives a killed process. What was written behind the durable offset before a power cut may be anything. */
async function trustedSize(file: FileHandle, { offset, boot }: PausedIntent): Promise<number> {
  const { size } = await file.stat()
  if (size < offset) {
    throw new StoreError('CORRUPT', `The upload has ${size} bytes, where ${offset} had been made durable.`)
  }
  if (boot !== '' && boot === currentBoot()) return size
  await file.truncate(offset)
  return offset
}

/** Removes every file that can be called by `id` but its lock. */
export async function discardFiles(layout: Layout, id: string): Promise<void> {
  const { part, draft, intent, epoch } = layout
  const paths = [part(id), draft(id), intent(id), epoch(id), `${part(id)}.tmp`, `${intent(id)}.tmp`]
  for (const path of paths) await removeIfThere(path)
}

interface FileStagingParts {
  readonly id: string
  readonly intent: Intent
  readonly lock: Lock
  readonly file: FileHandle
  readonly reservation: Reservation
  readonly epoch: string
  readonly resumed: boolean
}

class FileStaging implements Staging {
  readonly #context: FsContext
  readonly #parts: FileStagingParts
  readonly #publication: Publication
  #open = true
  #onTakeover: () => void = () => {}
  #watching: NodeJS.Timeout | undefined

  constructor(context: FsContext, parts: FileStagingParts) {
    this.#context = context
    this.#parts = parts
    this.#publication = new Publication(context, parts.id)
    if (parts.resumed) this.#watch()
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const { file, reservation } = this.#parts
    const admitted = reservation.take(bytes.length)
    if (admitted !== undefined) await admitted
    await withNoSpace(writeAll(file, bytes, position))
  }

  async seal(): Promise<void> {
    const { file } = this.#parts
    await withNoSpace(this.#context.disk.sync(file))
    await file.chmod(0o440)
    await this.#close()
  }

  async pause(offset: number): Promise<string> {
    const { id, intent, file, epoch } = this.#parts
    const { layout, disk } = this.#context
    if (this.#open) await withNoSpace(disk.sync(file))
    const paused = formatIntent({ ...intent, offset, epoch, boot: currentBoot() })
    await withNoSpace(disk.replaceFile(layout.intent(id), paused))
    await this.#end()
    return epoch
  }

  async publish(...args: Parameters<Staging['publish']>): Promise<void> {
    await withNoSpace(this.#publication.publish(...args))
    // What cannot be cleaned up now is an orphan for sweep, and no reason to fail the upload.
    await this.#discardFiles().catch(() => {})
    await this.#end()
  }

  async discard(): Promise<void> {
    await this.#close()
    await this.#publication.undo()
    await this.#discardFiles()
    await this.#end()
  }

  async #discardFiles(): Promise<void> {
    const { id, resumed } = this.#parts
    const { layout } = this.#context
    // The usual upload has one file, and 50 more a second of them need not be looked for.
    if (resumed) await discardFiles(layout, id)
    else await removeIfThere(layout.part(id))
  }

  onTakeover(listener: () => void): void {
    this.#onTakeover = listener
  }

  #watch(): void {
    const path = this.#context.layout.epoch(this.#parts.id)
    this.#watching = setInterval(() => {
      if (!isWanted(path, this.#parts.epoch)) return
      clearInterval(this.#watching)
      this.#onTakeover()
    }, WATCH_INTERVAL).unref()
  }

  async #close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#parts.file.close()
  }

  async #end(): Promise<void> {
    clearInterval(this.#watching)
    await this.#close().catch(() => {})
    this.#parts.reservation.release()
    this.#parts.lock.release()
  }
}

/** Tells whoever has the session to let go; the last one to claim it is the one who gets it. */
function claimEpoch(path: string, epoch: string): void {
  // Where there are no symbolic links, there is one process to a store, and nobody to tell.
  do removeLink(path)
  while (makeLink(epoch, path) === 'exists')
}

/** Whether somebody else has claimed the session since. */
function isWanted(path: string, epoch: string): boolean {
  try {
    return (readLink(path) ?? epoch) !== epoch
  } catch {
    // Whoever waits for the lock tries again.
    return false
  }
}

function checkEpoch(path: string, epoch: string): void {
  if (isWanted(path, epoch)) throw new StoreError('ABORTED', 'The upload was resumed by somebody else.')
}

function randomId(): string {
  return randomBytes(16).toString('base64url')
}
