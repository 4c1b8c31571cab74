import type { UploadStore } from 'upload-store'

export interface Uploads {
  /** Resolves when a running append to an upload, or to that of `id`, has accepted all `bytes` from the upload's start. */
  accepted(bytes: number, id?: string): Promise<void>
  /** Resolves when no append runs, or none to the upload of `id`. */
  ended(id?: string): Promise<void>
}

export function watchUploads(store: UploadStore): Uploads
