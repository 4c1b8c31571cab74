export { requireUnreadBody } from './consumed-body.ts'
export type {
  ResumableUploadOptions,
  UploadAction,
  UploadIdentity,
  UploadTarget,
} from './options.ts'
export { isPartialContent } from './partial-content.ts'
export { resumableUpload } from './resumable-upload.ts'
export { type TusDataStore, tusDataStore } from './tus/data-store.ts'
export type { TusHooks } from './tus/hooks.ts'
export type { TusRequest } from './tus/incoming.ts'
export type { TusOptions } from './tus/tus-options.ts'
export type { TusMetadata, TusUpload } from './tus/tus-upload.ts'
