import { createFsStore, type FsStoreOptions, type UploadStore } from 'upload-store'

/** As after a restart: whoever used the directory before counts as gone. */
export function openStore(directory: string, options: FsStoreOptions = {}): UploadStore {
  return createFsStore(directory, { ...options, ownerTimeout: 0 })
}
