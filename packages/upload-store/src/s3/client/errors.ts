import { StoreError } from '../../contract/store-error.ts'

interface ResponseMetadata {
  readonly httpStatusCode: number
  /** Whether the SDK has adjusted its clock to that of S3, so that the next attempt is signed with the right time. */
  readonly clockSkewCorrected: boolean
}

interface S3Fault {
  readonly name: string
  readonly status: number | undefined
  readonly isCorrected: boolean
  readonly headers: Headers
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

/** A response that is not from S3, but from a proxy, a captive portal or another server. */
export class BadAnswer extends Error {
  readonly $response: { readonly headers: Headers }

  constructor(message: string, headers: Headers = {}) {
    super(message)
    this.name = 'BadAnswer'
    this.$response = { headers }
  }
}

/** Returns an S3 error with the properties that the SDK gives to its own errors. */
export function s3Error(code: string, httpStatusCode: number, headers: Headers): Error {
  const error = new Error(`S3 answered ${httpStatusCode} ${code}.`)
  return Object.assign(error, { name: code, $metadata: { httpStatusCode }, $response: { headers } })
}

/** Returns the properties of an SDK error, or of a connection error from Node. */
function parseFault(error: unknown): S3Fault {
  if (!(error instanceof Error)) return { name: '', status: undefined, isCorrected: false, headers: {} }
  const { $metadata, $response, code } = error as {
    readonly $metadata?: Partial<ResponseMetadata>
    readonly $response?: { readonly headers?: Headers }
    readonly code?: unknown
  }
  return {
    name: typeof code === 'string' ? code : error.name,
    status: $metadata?.httpStatusCode,
    isCorrected: $metadata?.clockSkewCorrected === true,
    headers: $response?.headers ?? {},
  }
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  const { status } = parseFault(error)
  return status !== undefined && statuses.includes(status)
}

export function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return names.includes(parseFault(error).name)
}

export function isRefusal(error: unknown): boolean {
  const { status = 0 } = parseFault(error)
  return status >= 400 && status < 500 && status !== 429
}

/** Whether S3 reports that the object does not exist. The 404 of a proxy, or of a missing bucket, has another code. */
export function isMissing(error: unknown): boolean {
  return hasStatus(error, 404) && isNamed(error, 'NoSuchKey')
}

/** Returns how long S3 asks clients to wait, in ms; 0 if it does not say. */
export function retryAfter(error: unknown): number {
  const { headers } = parseFault(error)
  const own = Number(headers['x-amz-retry-after'] ?? Number.NaN)
  if (own >= 0) return own
  const field = String(headers['retry-after'] ?? '')
  if (/^\d+$/.test(field)) return Number(field) * 1000
  return field.endsWith('GMT') ? Math.max(0, (Date.parse(field) || 0) - Date.now()) : 0
}

/** The operator's remedies by S3 error code. */
const REMEDIES: Readonly<Record<string, string>> = {
  AccessDenied: 'Allow this access key to list the bucket, and to get, put, delete and abort in it.',
  CredentialsProviderError:
    'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or one of the other ways of the SDK.',
  InvalidAccessKeyId: 'Check the access key.',
  NoSuchBucket: 'Create the bucket, for example with setUpBucket, or name another one.',
  PermanentRedirect: 'Set the region of the bucket.',
  AuthorizationHeaderMalformed: 'Set the region of the bucket.',
  RequestTimeTooSkewed:
    "This machine's clock and that of S3 differ by more than 15 minutes. Set this machine's clock, for example by NTP.",
  SignatureDoesNotMatch: 'Check the secret key, and that no proxy changes the Host field.',
}

const FULL = ['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage']
/** Errors caused by the transfer of a request or by the number of requests. A retry may succeed. */
const PASSING = [
  'BadDigest',
  'IncompleteBody',
  'RequestTimeout',
  'SlowDown',
  'TooManyRequests',
  'XAmzContentSHA256Mismatch',
]

/** Returns the error that the store throws: UNAVAILABLE if a retry may succeed, or an Error that names the remedy. */
export function explain(error: unknown, bucket: string): unknown {
  if (error instanceof StoreError) return error
  if (error instanceof BadAnswer) return unavailable(error)
  const { name, status, isCorrected } = parseFault(error)
  if (FULL.includes(name)) {
    return new StoreError(
      'NO_SPACE',
      'The bucket is full: there is no space for the upload. Try again later.',
      { cause: error },
    )
  }
  if (isCorrected) return unavailable(error)
  const remedy = Object.hasOwn(REMEDIES, name) ? REMEDIES[name] : undefined
  const isRefused = status === 501 || isRefusal(error)
  if (remedy !== undefined || (isRefused && !PASSING.includes(name))) {
    const refusal = `S3 refuses a request for the bucket ${JSON.stringify(bucket)}: ${name}.`
    return new Error(remedy === undefined ? refusal : `${refusal} ${remedy}`, { cause: error })
  }
  // A bug in this package.
  if (status === undefined && (error instanceof TypeError || error instanceof RangeError)) return error
  // The response is missing or late, or reports that S3 is unavailable: SlowDown, ServiceUnavailable, InternalError.
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
