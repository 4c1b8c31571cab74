import type { FileHandle } from 'node:fs/promises'
import type { Disk } from '../disk/disk.ts'
import { writeAll } from '../disk/files.ts'

export interface PartFileOptions {
  /** How many unwritten bytes may be in the page cache before write-back starts. */
  readonly stride: number
  /** Called when the first `offset` bytes have been written back. */
  readonly onWrittenBack: (offset: number) => Promise<void>
}

/** The file with the bytes of one upload. Decides when they become durable. */
export class PartFile {
  readonly #file: FileHandle
  readonly #disk: Disk
  readonly #options: PartFileOptions
  #open = true
  #dirty = 0
  /** Stays rejected after the first failure. */
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
