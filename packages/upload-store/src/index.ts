export { createFsStore } from './fs/fs-store.ts'
export { numberedKey, sanitizeKey } from './key.ts'
export { createMemoryStore } from './memory-store.ts'
export {
  type IncomingFile,
  type MulterStorageEngine,
  type MulterStorageOptions,
  multerStorage,
  type StoredFile,
} from './multer-storage.ts'
export type {
  ByteSource,
  CommitOptions,
  CreateOptions,
  ListOptions,
  ListPage,
  SealedUpload,
  StoredContent,
  StoredObject,
  StoreOptions,
  UploadSession,
  UploadStore,
} from './store.ts'
export { StoreError, type StoreErrorCode } from './store-error.ts'
