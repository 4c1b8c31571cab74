export {
  type CompletedUpload,
  type CreatedUpload,
  callOnCommitted,
  callOnComplete,
  callOnCreate,
  type UploadHooks,
  type UploadIdentity,
  type UploadTarget,
} from './core/hooks.ts'
export type {
  DeclaredUpload,
  ResumableUploadOptions,
  UploadAction,
} from './core/options.ts'
export { resumableUpload } from './draft/resumable-upload.ts'
export { requireUnreadBody } from './http/consumed-body.ts'
export { isPartialContent } from './http/partial-content.ts'
export { tusMethodOverride } from './tus/method-override.ts'
export { type TusUploadOptions, tusUpload } from './tus/tus-upload.ts'
