import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { AGENT } from './agent.ts'
import { Bucket, type TimeLimits } from './bucket.ts'

const CONNECTION_TIMEOUT = 2000
/** The longest silence of a connection before a request fails, in ms. */
const MAX_SILENCE = 10_000

const TIMEOUT = 5000
const TRANSFER_TIMEOUT = 45_000

export interface ConnectionOptions {
  /** The bucket that contains the objects. */
  readonly bucket: string
  /** The prefix of all names in the bucket, e.g. `videos/` (none). */
  readonly prefix?: string | undefined
  /** The URL of an S3-compatible store other than AWS (AWS). */
  readonly endpoint?: string | undefined
  /** The region (`us-east-1` with an endpoint; otherwise as configured for the SDK). */
  readonly region?: string | undefined
  /** The access key (as configured for the SDK: environment, files, roles). */
  readonly credentials?: S3ClientConfig['credentials']
  /** Use `http://host/bucket/name` instead of `http://bucket.host/name` (true with an endpoint). */
  readonly forcePathStyle?: boolean | undefined
  /** An SDK client to use instead of the options above. Its timeouts apply, too; its retries do not. */
  readonly client?: S3Client | undefined
  /** Maximum time of one operation, with all its requests and their retries, in ms (5000). */
  readonly timeout?: number | undefined
  /**
   * Maximum time of one step of an upload, with its retries, and of a pause in a body that is being read, in ms (45,000).
   * Each MiB that a step sends adds 1 s. Joining the parts may take 3 times as long.
   */
  readonly transferTimeout?: number | undefined
}

export function connect(options: ConnectionOptions): Bucket {
  const { bucket, timeout = TIMEOUT } = options
  const limits = { timeout, transferTimeout: options.transferTimeout ?? Math.max(TRANSFER_TIMEOUT, timeout) }
  return new Bucket(options.client ?? new S3Client(clientConfig(options, limits)), bucket, limits)
}

function clientConfig(options: ConnectionOptions, { transferTimeout }: TimeLimits): S3ClientConfig {
  const { endpoint, region, credentials } = options
  const isAws = endpoint === undefined
  const found = region ?? (isAws ? undefined : 'us-east-1')
  return {
    ...(isAws ? {} : { endpoint }),
    ...(found === undefined ? {} : { region: found }),
    ...(credentials === undefined ? {} : { credentials }),
    forcePathStyle: options.forcePathStyle ?? !isAws,
    // The signature covers the SHA-256 of each body, which S3 checks. Content-MD5 in addition took 1.5 s of CPU time
    // per GiB, and other engines reject or ignore the newer checksums of AWS.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // `retry` has the only retry loop: within the SDK's loop, each failure took 14 times as many requests.
    maxAttempts: 1,
    requestHandler: {
      httpAgent: AGENT,
      httpsAgent: AGENT,
      connectionTimeout: CONNECTION_TIMEOUT,
      // Without it, a frozen gateway would use up the budget of a part and leave no time for another attempt.
      socketTimeout: Math.min(MAX_SILENCE, transferTimeout / 3),
    },
  }
}
