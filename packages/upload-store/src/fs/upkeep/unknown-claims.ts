import { lstatSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseRecord } from '../../values/blob-record.ts'
import { hasCode } from '../disk/files.ts'
import type { Layout } from '../disk/layout.ts'
import { readTextSync } from '../disk/read-entry.ts'

/**
 * The blobs that unreadable entries may name: damaged records, shards that cannot be listed, and entries in
 * `quarantine/`. The objects of these entries were acknowledged, and an operator may repair them from their blobs.
 *
 * A record is written after its blob. So an entry whose blob is unknown can name only blobs that were written before it
 * last changed, and newer ones that no record names can still be removed.
 */
export class UnknownClaims {
  readonly #layout: Layout
  readonly #blobs: ReadonlySet<string>
  readonly #claimed = new Set<string>()
  /** ms since the epoch. */
  #latest = Number.NEGATIVE_INFINITY

  /** @param blobs paths of all blobs */
  constructor(layout: Layout, blobs: ReadonlySet<string>) {
    this.#layout = layout
    this.#blobs = blobs
  }

  /** Claims the blob whose id is legible in the entry at `path`, or else any blob that is older than the entry. */
  add(path: string): void {
    const id = blobNamedIn(path)
    const blob = id === undefined ? undefined : this.#layout.blob(id)
    // An id that names no blob may be damaged itself.
    if (blob !== undefined && this.#blobs.has(blob)) this.#claimed.add(blob)
    else this.addOlderThan(path)
  }

  /** Claims any blob that is older than the last change of the entry at `path`. */
  addOlderThan(path: string): void {
    const changed = lstatSync(path, { throwIfNoEntry: false })?.ctimeMs ?? Number.NEGATIVE_INFINITY
    this.#latest = Math.max(this.#latest, changed)
  }

  /** Claims the blobs of entries that `verify` or a new upload has moved to `quarantine/`. */
  async addQuarantine(): Promise<void> {
    const { quarantine } = this.#layout
    const names: readonly string[] = await readdir(quarantine).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return []
      throw error
    })
    for (const name of names) {
      if (!name.endsWith('.json')) continue
      const path = join(quarantine, name)
      const record = parseRecord(textAt(path))
      const blob = record?.blob ?? blobNamedIn(path)
      // Its blob was set aside as well. A power cut may have undone only the removal of the blob's first name.
      if (blob !== undefined && names.includes(blob)) continue
      // An intact record without its blob was moved because it could not be read at that time.
      if (record !== null) this.#claimed.add(this.#layout.blob(record.blob))
      else this.add(path)
    }
  }

  /** Whether one of the entries may name the blob at `path`. */
  has(path: string): boolean {
    if (this.#claimed.has(path)) return true
    if (this.#latest === Number.NEGATIVE_INFINITY) return false
    const written = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs
    return written !== undefined && written <= this.#latest
  }
}

/** Returns the id of a blob that is legible in a damaged record. */
export function blobNamedIn(path: string): string | undefined {
  return /"blob":\s*"([\w-]{22})"/.exec(textAt(path))?.[1]
}

function textAt(path: string): string {
  try {
    return readTextSync(path) ?? ''
  } catch {
    return ''
  }
}
