import type { BigIntStats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import type { Layout } from '../disk/layout.ts'
import { isSameFile, statFile } from '../disk/stat-file.ts'
import type { FsManifest } from './manifest.ts'
import type { ManifestFile } from './manifest-file.ts'

/** At most how many paused uploads stay open. Each has two descriptors. */
const MAX_KEPT = 64
/** How long a paused upload stays open at most, in ms. The space of one that another process removes is free after it. */
const KEEP_TIME = 5000

interface OpenFiles {
  readonly file: FileHandle
  readonly manifestFile: ManifestFile
}

/** A paused upload as this process has left it. */
export interface KeptUpload extends OpenFiles {
  readonly manifest: FsManifest
  readonly part: BigIntStats
  readonly manifestStats: BigIntStats
}

/**
 * The uploads that this process has paused last, still open. No lock is held for them, so any process may resume them.
 * So their files are compared before they are used again. A file that is open keeps its inode number, a part only grows
 * by appends, and a manifest is replaced or grows. So a file with the same number and length is unchanged.
 */
export class KeptUploads {
  readonly #layout: Layout
  readonly #kept = new Map<string, KeptUpload & { readonly timer: NodeJS.Timeout }>()
  #closing: Promise<void> = Promise.resolve()

  constructor(layout: Layout) {
    this.#layout = layout
  }

  /** Keeps a paused upload, unless a commit of it has begun. Call under its lock. */
  keep(id: string, manifest: FsManifest, files: OpenFiles): void {
    this.drop(id)
    const [part, manifestStats] = [statFile(this.#layout.part(id)), statFile(this.#layout.manifest(id))]
    if (part?.nlink !== 1n || manifestStats === undefined || manifest.committing !== undefined) {
      this.#close(files)
      return
    }
    const timer = setTimeout(() => this.drop(id), KEEP_TIME).unref()
    this.#kept.set(id, { ...files, manifest, part, manifestStats, timer })
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.drop(oldest)
  }

  /** Returns the upload if no process has changed it since it was kept. Drops it otherwise. */
  find(id: string): KeptUpload | undefined {
    const kept = this.#kept.get(id)
    if (kept === undefined) return undefined
    if (
      isUnchanged(kept.part, this.#layout.part(id)) &&
      isUnchanged(kept.manifestStats, this.#layout.manifest(id))
    )
      return kept
    this.drop(id)
    return undefined
  }

  /** Like `find`, and hands the files over to the caller. Call under the upload's lock. */
  take(id: string): KeptUpload | undefined {
    const kept = this.find(id)
    clearTimeout(this.#kept.get(id)?.timer)
    this.#kept.delete(id)
    return kept
  }

  /** Closes the upload's files if they are kept. */
  drop(id: string): void {
    const kept = this.#kept.get(id)
    if (kept === undefined) return
    clearTimeout(kept.timer)
    this.#kept.delete(id)
    this.#close(kept)
  }

  async close(): Promise<void> {
    for (const id of [...this.#kept.keys()]) this.drop(id)
    await this.#closing
  }

  #close({ file, manifestFile }: OpenFiles): void {
    const closing = Promise.allSettled([file.close(), manifestFile.close()])
    this.#closing = Promise.all([this.#closing, closing]).then(() => {})
  }
}

function isUnchanged(before: BigIntStats, path: string): boolean {
  const stats = statFile(path)
  return isSameFile(before, stats) && stats?.size === before.size && stats.nlink === before.nlink
}
