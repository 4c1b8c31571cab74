import type { StoreOptions, UploadStore } from 'upload-store'

/** Whether the tests are run a second time, with what is stored in Ceph. */
export const ON_S3: boolean

/** The store in `directory`, or where the tests are run on S3 the one in the bucket that stands for it. */
export function openTestStore(directory: string, options?: StoreOptions): UploadStore

/** What has a server with `--data directory` use that one. */
export function environmentOfServer(directory: string): Readonly<Record<string, string>>
