import { fstatSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import type { Disk } from '../disk/disk.ts'
import { writeAll } from '../disk/files.ts'

export interface PartFileOptions {
  /** How many unwritten bytes may be in the page cache before write-back starts. */
  readonly stride: number
  /** Whether all bytes of the file are durable already. */
  readonly isSynced: boolean
  /** Called when the first `offset` bytes have been written back. */
  readonly onWrittenBack: (offset: number) => Promise<void>
}

/** The file with the bytes of one upload, as one session uses it. Decides when they become durable. */
export class PartFile {
  readonly #file: FileHandle
  readonly #disk: Disk
  readonly #options: PartFileOptions
  #open = true
  #isSynced: boolean
  #dirty = 0
  /** Stays rejected after the first failure. */
  #writtenBack: Promise<void> = Promise.resolve()
  #synced: Promise<void> | undefined

  constructor(file: FileHandle, disk: Disk, options: PartFileOptions) {
    this.#file = file
    this.#disk = disk
    this.#options = options
    this.#isSynced = options.isSynced
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    this.#isSynced = false
    await writeAll(this.#file, bytes, position)
    this.#dirty += bytes.length
    if (this.#dirty >= this.#options.stride) this.#writeBack(position + bytes.length)
  }

  /** Starts write-back early. Otherwise all bytes, and the client, would wait for `seal`. */
  #writeBack(offset: number): void {
    this.#dirty = 0
    this.#writtenBack = this.#writtenBack.then(async () => {
      await this.#disk.sync(this.#file)
      await this.#options.onWrittenBack(offset)
    })
    // The next call of `sync` reports a failure.
    this.#writtenBack.catch(() => {})
  }

  /** Resolves when no write-back is running. The next call of `sync` reports its failure. */
  async settled(): Promise<void> {
    await this.#writtenBack.catch(() => {})
  }

  /**
   * Makes the bytes durable. Once it has failed, it always fails: a system reports a write error only once, and a later
   * sync succeeds although bytes are lost.
   */
  sync(): Promise<void> {
    this.#synced ??= this.#writtenBack.then(() =>
      this.#open && !this.#isSynced ? this.#disk.sync(this.#file) : undefined,
    )
    return this.#synced
  }

  /** Whether a sync has failed. */
  async hasFailed(): Promise<boolean> {
    const failed = this.#synced?.then(
      () => false,
      () => true,
    )
    return (await failed) ?? false
  }

  async cutTo(offset: number): Promise<void> {
    // Synchronous, because a promise would take many times the few µs of the call itself.
    if (!this.#open || fstatSync(this.#file.fd).size <= offset) return
    this.#isSynced = false
    await this.#file.truncate(offset)
  }

  /** Changes the permissions where the file system has any. */
  async setMode(mode: number): Promise<void> {
    if (this.#open) await this.#file.chmod(mode).catch(() => {})
  }

  /** Returns the file, which the caller has to close; `undefined` if it is closed already. */
  async release(): Promise<FileHandle | undefined> {
    if (!this.#open) return undefined
    this.#open = false
    await this.settled()
    return this.#file
  }

  async close(): Promise<void> {
    await (await this.release())?.close()
  }
}
