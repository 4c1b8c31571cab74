import { StoreError } from '../store-error.ts'

interface ResponseMetadata {
  readonly httpStatusCode: number
  readonly attempts: number
}

interface S3Fault {
  readonly name: string
  readonly status: number | undefined
  readonly tries: number
}

/** What the SDK says of an error, or Node of a connection. */
function faultOf(error: unknown): S3Fault {
  if (!(error instanceof Error)) return { name: '', status: undefined, tries: 1 }
  const { $metadata = {}, code } = error as { $metadata?: Partial<ResponseMetadata>; code?: unknown }
  const { httpStatusCode, attempts = 1 } = $metadata
  return { name: typeof code === 'string' ? code : error.name, status: httpStatusCode, tries: attempts }
}

/** How often the SDK has sent the request. */
export function triesOf(error: unknown): number {
  return faultOf(error).tries
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  const { status } = faultOf(error)
  return status !== undefined && statuses.includes(status)
}

export function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return names.includes(faultOf(error).name)
}

/** What the operator has to do, by S3's error code. */
const REMEDIES: Readonly<Record<string, string>> = {
  AccessDenied: 'Allow this access key to list the bucket, and to get, put, delete and abort in it.',
  CredentialsProviderError:
    'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or one of the other ways of the SDK.',
  InvalidAccessKeyId: 'Check the access key.',
  NoSuchBucket: 'Create it, for example with setUpBucket, or name another one.',
  PermanentRedirect: 'Set the region that the bucket is in.',
  AuthorizationHeaderMalformed: 'Set the region that the bucket is in.',
  RequestTimeTooSkewed:
    "This machine's clock and the store's differ by more than 15 minutes: set it, by NTP.",
  SignatureDoesNotMatch: 'Check the secret key, and that no proxy changes the Host field.',
}

const FULL = ['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage']
/** Refused for what became of the request on its way. */
const GARBLED = ['BadDigest', 'IncompleteBody', 'RequestTimeout', 'XAmzContentSHA256Mismatch']

/** The error in the store's words: who cannot help it is told when to come again, the operator what to do. */
export function explain(error: unknown, bucket: string): unknown {
  if (error instanceof StoreError) return error
  const { name, status } = faultOf(error)
  if (FULL.includes(name)) {
    return new StoreError('NO_SPACE', 'There is no space left for the upload.', { cause: error })
  }
  const remedy = Object.hasOwn(REMEDIES, name) ? REMEDIES[name] : undefined
  const isRefused = status !== undefined && status >= 400 && status < 500 && status !== 429
  if (remedy !== undefined || (isRefused && !GARBLED.includes(name))) {
    const refusal = `S3 refuses a request for the bucket ${JSON.stringify(bucket)}: ${name}.`
    return new Error(remedy === undefined ? refusal : `${refusal} ${remedy}`, { cause: error })
  }
  // Ours.
  if (status === undefined && (error instanceof TypeError || error instanceof RangeError)) return error
  // No answer, one that came too late, or one that says so: SlowDown, ServiceUnavailable, InternalError.
  return unavailable(error)
}

export function unavailable(cause: unknown): StoreError {
  return new StoreError('UNAVAILABLE', 'The store cannot be reached at the moment; try again later.', {
    cause,
  })
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'UNAVAILABLE'
}
