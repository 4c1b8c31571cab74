export type {
  DamagedEntry,
  Quarantined,
  RecoverReport,
  Repaired,
  SweepReport,
  VerifyReport,
} from './contract/reports.ts'
export type {
  ListOptions,
  ListOrder,
  ListPage,
  PutOptions,
  StoreLimits,
  StoreOptions,
  UploadStore,
  VerifyOptions,
} from './contract/store.ts'
export { StoreError, type StoreErrorCode } from './contract/store-error.ts'
export type {
  SignedUrlOptions,
  StoredContent,
  StoredObject,
  UploadMetadata,
} from './contract/stored-object.ts'
export { uploadErrorStatus } from './contract/upload-error-status.ts'
export type {
  AppendOptions,
  ByteSource,
  CommitOptions,
  CreateOptions,
  KnownUpload,
  SealedUpload,
  UploadPart,
  UploadSession,
  UploadState,
} from './contract/upload-session.ts'
export { createFsStore, type FromFileOptions, type FsStore, type FsStoreOptions } from './fs/fs-store.ts'
export { createMemoryStore } from './memory/memory-store.ts'
export {
  type IncomingFile,
  type MulterStorageEngine,
  type MulterStorageOptions,
  multerStorage,
} from './multer/multer-storage.ts'
export { type StoredFile, storedFile } from './multer/stored-file.ts'
export { companionKeys, companionOf } from './values/companion.ts'
export { numberedKey, sanitizeKey } from './values/key.ts'
export { objectMetadata } from './values/metadata.ts'
