export { createFsStore, type FsStoreOptions } from './fs/fs-store.ts'
export { numberedKey, sanitizeKey } from './key.ts'
export { createMemoryStore } from './memory-store.ts'
export {
  type IncomingFile,
  type MulterStorageEngine,
  type MulterStorageOptions,
  multerStorage,
  type StoredFile,
} from './multer-storage.ts'
export type { LocationOptions, StoredContent, StoredObject, StoredStream } from './object.ts'
export type { Quarantined, RecoverReport, Repaired, SweepReport, VerifyReport } from './reports.ts'
export type { DamagedEntry } from './session/damage.ts'
export type { ListOptions, ListPage, PutOptions, StoreOptions, UploadStore } from './store.ts'
export { StoreError, type StoreErrorCode } from './store-error.ts'
export { uploadErrorStatus } from './upload-error-status.ts'
export type {
  AppendOptions,
  ByteSource,
  CommitOptions,
  CreateOptions,
  KnownUpload,
  SealedUpload,
  UploadMeta,
  UploadSession,
  UploadState,
} from './upload-session.ts'
