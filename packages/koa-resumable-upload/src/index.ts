export type {
  ResumableUploadOptions,
  UploadAction,
  UploadIdentity,
  UploadTarget,
} from './core/options.ts'
export { resumableUpload } from './draft/resumable-upload.ts'
export { requireUnreadBody } from './http/consumed-body.ts'
export { isPartialContent } from './http/partial-content.ts'
export { type TusDataStore, tusDataStore } from './tus/data-store.ts'
export type { TusHooks } from './tus/hooks.ts'
export type { TusRequest } from './tus/incoming.ts'
export type { TusOptions } from './tus/tus-options.ts'
export type { TusMetadata, TusUpload } from './tus/tus-upload.ts'
