export type {
  ResumableUploadOptions,
  UploadAction,
  UploadIdentity,
  UploadTarget,
} from './options.ts'
export { resumableUpload } from './resumable-upload.ts'
