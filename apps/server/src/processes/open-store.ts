import { createFsStore, StoreError, type StoreOptions, type UploadStore } from 'upload-store'
import { type Config, ConfigError } from '../config/config.ts'
import type { S3Config } from '../config/s3.ts'
import { detectType } from '../media/detect-type.ts'

/** How long a bucket has to answer at start, in ms. */
const START_TIMEOUT = 5000

/**
 * @param onDamaged called once for each entry that the store cannot use
 * @throws ConfigError if `--data` or the bucket cannot be used
 */
export async function openStore(
  { data, s3, maxFileSize, maxTotalSize, accept }: Config,
  onDamaged?: StoreOptions['onDamaged'],
): Promise<UploadStore> {
  const options = { maxFileSize, maxTotalSize, accept, companions: true, detectType, onDamaged }
  return s3 === undefined ? openFiles(data, options) : openBucket(s3, options)
}

function openFiles(data: string, options: StoreOptions): UploadStore {
  try {
    return createFsStore(data, options)
  } catch (error) {
    throw new ConfigError(`--data cannot be used: ${describeDataError(error, data)}`)
  }
}

/** What to do about what the system says. */
const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there; choose another directory, or change its owner',
  EEXIST: 'there is a file of that name; choose a directory',
  EDQUOT: 'the quota is used up; make room, or choose a directory on another disk',
  // Of /proc and its like.
  ENOENT: 'no directory can be created there; choose a directory on a disk',
  ENOSPC: 'the disk is full; make room, or choose a directory on another disk',
  ENOTDIR: 'a part of the path is a file; choose a directory',
  EPERM: 'files may not be created there; choose another directory',
  EROFS: 'the file system is read-only; choose a directory on another one, or mount it for writing',
}

function describeDataError(error: unknown, data: string): string {
  if (!(error instanceof Error)) return String(error)
  // The store says itself what to do about another layout.
  if (error instanceof StoreError) return error.message
  const remedy = 'code' in error ? REMEDIES[String(error.code)] : undefined
  return remedy === undefined ? `${error.message}.` : `${data}: ${remedy} (${error.message}).`
}

async function openBucket(s3: S3Config, options: StoreOptions): Promise<UploadStore> {
  // Of what later versions need: ours is chosen for this Node.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  // The SDK takes half a second to load.
  const { checkBucket, createS3Store } = await import('upload-store/s3')
  try {
    await checkBucket({ ...s3, timeout: START_TIMEOUT })
  } catch (error) {
    throw new ConfigError(`--store s3: ${describeBucketError(error, s3)}`)
  }
  return createS3Store({ ...s3, ...options })
}

function describeBucketError(error: unknown, { endpoint = 'AWS' }: S3Config): string {
  if (!(error instanceof Error)) return String(error)
  if (!(error instanceof StoreError && error.code === 'UNAVAILABLE')) return error.message
  const { cause } = error
  if (!(cause instanceof Error)) return `${endpoint} does not answer (${cause}). Check --s3-endpoint.`
  const fault = cause.name === 'BadAnswer' ? 'does not answer as S3 does' : 'does not answer'
  return `${endpoint} ${fault} (${cause.message || cause.name}). Check --s3-endpoint.`
}
