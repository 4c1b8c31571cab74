export { checkBucket } from './s3/client/check.ts'
export type { ConnectionOptions } from './s3/client/connection.ts'
export { createS3Store, type S3StoreOptions } from './s3/s3-store.ts'
export { type SetUpOptions, setUpBucket } from './s3/upkeep/set-up.ts'
