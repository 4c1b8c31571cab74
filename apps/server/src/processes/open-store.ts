import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { createFsStore, StoreError, type StoreOptions, type UploadStore } from 'upload-store'
import { type Config, ConfigError } from '../config/config.ts'
import type { S3Config } from '../config/s3.ts'
import { detectType } from '../media/detect-type.ts'

/** How long a bucket has to answer at start, in ms. */
const START_TIMEOUT = 5000

/**
 * Opens the store of a configuration, with its limits.
 *
 * @param onDamaged called once for each entry that the store cannot use
 * @param changes replace options
 * @throws ConfigError if `--data` or the bucket cannot be used
 */
export async function openStore(
  { data, s3, maxFileSize, maxTotalSize, accept, readOnly }: Config,
  onDamaged?: StoreOptions['onDamaged'],
  changes: Pick<StoreOptions, 'accept' | 'detectType'> = {},
): Promise<UploadStore> {
  const limits = { maxFileSize, maxTotalSize, accept, companions: true }
  const options = { ...limits, detectType, onDamaged, ...changes }
  return s3 === undefined ? openFiles(data, options) : openBucket(s3, options, readOnly)
}

function openFiles(data: string, options: StoreOptions): UploadStore {
  refuseForeign(data)
  try {
    return createFsStore(data, options)
  } catch (error) {
    throw new ConfigError(`--data cannot be used: ${describeDataError(error, data)}`)
  }
}

/** The entries of a store, and those that file systems and file managers leave. */
const OWN = /^(?:FORMAT|staging|owners|blobs|digests|records|quarantine|lost\+found|@eaDir|\..*)$/

/**
 * Refuses a folder of the operator's own files: a store's folders among them would be a mess that nothing cleans up.
 *
 * @throws ConfigError with the command that imports them
 */
function refuseForeign(data: string): void {
  const names = namesIn(data)
  if (names.includes('FORMAT')) return
  const [first, ...others] = names.filter((name) => !OWN.test(name))
  if (first === undefined) return
  const more = others.length === 0 ? '' : ` and ${others.length} more`
  const store = join(dirname(data), `${basename(data)}-store`)
  throw new ConfigError(
    `--data ${data} has files of its own (${first}${more}) and is not a store. Import them to a store: koa-range-server import ${quoted(data)} --data ${quoted(store)}`,
  )
}

/** The files and folders in a directory. */
function namesIn(directory: string): readonly string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true })
    return entries.filter((entry) => entry.isFile() || entry.isDirectory()).map(({ name }) => name)
  } catch {
    // It is missing, or opening the store reports why it cannot be used.
    return []
  }
}

const quoted = (path: string): string =>
  /^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`

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

async function openBucket(s3: S3Config, options: StoreOptions, readOnly: boolean): Promise<UploadStore> {
  // Of what later versions need: ours is chosen for this Node.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  // The SDK takes half a second to load.
  const { checkBucket, checkConditionalWrites, createS3Store } = await importS3()
  try {
    await checkBucket({ ...s3, timeout: START_TIMEOUT })
    // The keys of a read-only server may not be allowed to write.
    if (!readOnly) await checkConditionalWrites({ ...s3, timeout: START_TIMEOUT })
  } catch (error) {
    if (isWithoutRegion(error))
      throw new ConfigError('--store s3 needs a region. Set --s3-region, or AWS_REGION.')
    throw new ConfigError(`--store s3: ${describeBucketError(error, s3)}`)
  }
  return createS3Store({ ...s3, ...options })
}

/** @throws ConfigError if the optional packages are not installed */
async function importS3(): Promise<typeof import('upload-store/s3')> {
  try {
    return await import('upload-store/s3')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error
    const packages = '@aws-sdk/client-s3 @aws-sdk/s3-request-presigner hash-wasm'
    const npx = packages.split(' ').map((name) => `-p ${name}`)
    throw new ConfigError(
      `--store s3 needs packages that are not installed. Run: npm install ${packages} (or: npx ${npx.join(' ')} -p koa-range-server koa-range-server …)`,
    )
  }
}

/** The SDK asks for the region in a text without a code. */
function isWithoutRegion(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && cause.message === 'Region is missing'
}

function describeBucketError(error: unknown, { endpoint = 'AWS' }: S3Config): string {
  if (!(error instanceof Error)) return String(error)
  if (!(error instanceof StoreError && error.code === 'UNAVAILABLE')) return error.message
  const { cause } = error
  if (!(cause instanceof Error)) return `${endpoint} does not answer (${cause}). Check --s3-endpoint.`
  const fault = cause.name === 'BadAnswer' ? 'does not answer as S3 does' : 'does not answer'
  return `${endpoint} ${fault} (${cause.message || cause.name}). Check --s3-endpoint.`
}
