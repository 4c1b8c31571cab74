import type { FileHandle } from 'node:fs/promises'
import type { Disk } from '../disk/disk.ts'
import { writeAll } from '../disk/files.ts'

export interface PartFileOptions {
  /** How much may wait to be written back before that begins, in bytes. */
  readonly stride: number
  /** Called when the first `offset` bytes have been written back. */
  readonly onWrittenBack: (offset: number) => Promise<void>
}

/** The bytes of one upload in a file, and when they are durable. */
export class PartFile {
  readonly #file: FileHandle
  readonly #disk: Disk
  readonly #options: PartFileOptions
  #open = true
  #dirty = 0
  /** Rejected for ever once it has been. */
  #writtenBack: Promise<void> = Promise.resolve()
  #synced: Promise<void> | undefined

  constructor(file: FileHandle, disk: Disk, options: PartFileOptions) {
    this.#file = file
    this.#disk = disk
    this.#options = options
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    await writeAll(this.#file, bytes, position)
    this.#dirty += bytes.length
    if (this.#dirty >= this.#options.stride) this.#writeBack(position + bytes.length)
  }

  /** Lets the disk begin: else all of it would wait for seal, and the client with it. */
  #writeBack(offset: number): void {
    this.#dirty = 0
    this.#writtenBack = this.#writtenBack.then(async () => {
      await this.#disk.sync(this.#file)
      await this.#options.onWrittenBack(offset)
    })
    // Whoever syncs next is told.
    this.#writtenBack.catch(() => {})
  }

  /** Resolves when nothing is being written back; what that failed with the next sync tells. */
  async settled(): Promise<void> {
    await this.#writtenBack.catch(() => {})
  }

  /**
   * Makes the bytes durable. A system reports once that it could not write, and counts the bytes as written from then on:
   * the next sync succeeds over bytes that are lost. So the first failure is the answer for ever.
   */
  sync(): Promise<void> {
    this.#synced ??= this.#writtenBack.then(() => (this.#open ? this.#disk.sync(this.#file) : undefined))
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
    if (this.#open && (await this.#file.stat()).size > offset) await this.#file.truncate(offset)
  }

  async close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.settled()
    await this.#file.close()
  }
}
