import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Disk } from '../disk/disk.ts'
import { type FsManifest, formatManifest, formatProgress } from './manifest.ts'

/** The length of a manifest above which it is replaced by a short one, in bytes: after about 200 appends. */
const MAX_LENGTH = 16 * 1024

const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** The manifest of one upload, as its writer writes it. */
export class ManifestFile {
  readonly #disk: Disk
  readonly #path: string
  #file: FileHandle | undefined
  /** The length of the file, in bytes. */
  #length: number

  /** @param length bytes; infinite if there is no file yet */
  constructor(disk: Disk, path: string, length: number) {
    this.#disk = disk
    this.#path = path
    this.#length = length
  }

  /** Replaces the manifest atomically and durably. */
  async replace(manifest: FsManifest): Promise<void> {
    await this.close()
    const text = formatManifest(manifest)
    await this.#disk.replaceFile(this.#path, text)
    this.#length = text.length
  }

  /**
   * Notes durably how far the upload has come, by one small write to the end of the file and one flush. Nothing else of the
   * manifest has changed.
   *
   * @param boot if it has changed
   */
  async noteProgress(manifest: FsManifest, boot?: string): Promise<void> {
    const text = formatProgress(manifest.offset, boot)
    if (this.#length + text.length > MAX_LENGTH)
      return this.replace(boot === undefined ? manifest : { ...manifest, boot })
    this.#file ??= await open(this.#path, APPEND)
    this.#length += text.length
    await this.#file.appendFile(text)
    await this.#disk.sync(this.#file)
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }
}
