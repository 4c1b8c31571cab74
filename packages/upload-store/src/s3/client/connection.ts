import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { AGENT } from './agent.ts'
import { Bucket, type TimeLimits } from './bucket.ts'

const CONNECTION_TIMEOUT = 2000
/** The longest silence of a connection that a request waits for, in ms. */
const MAX_SILENCE = 10_000

const TIMEOUT = 5000
const TRANSFER_TIMEOUT = 45_000

export interface ConnectionOptions {
  /** The bucket that the objects are in. */
  readonly bucket: string
  /** What all names in the bucket begin with, e.g. `videos/` (nothing). */
  readonly prefix?: string | undefined
  /** The URL of a store that is not AWS's own (AWS). */
  readonly endpoint?: string | undefined
  /** (`us-east-1` where there is an endpoint; else what the SDK finds) */
  readonly region?: string | undefined
  /** (what the SDK finds: environment, files, roles) */
  readonly credentials?: S3ClientConfig['credentials']
  /** `http://host/bucket/name` instead of `http://bucket.host/name` (true where there is an endpoint). */
  readonly forcePathStyle?: boolean | undefined
  /** A client of the SDK's to use instead of one made of the above. Its timeouts apply too, its retries do not. */
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
    // The signature covers each body's SHA-256, which the store checks: Content-MD5 beside it took 1.5 s of processor a GiB,
    // and what AWS has invented since other engines refuse, or do not look at.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // `retry` has the only loop of tries: within the SDK's loop each failure took 14 times as many.
    maxAttempts: 1,
    requestHandler: {
      httpAgent: AGENT,
      httpsAgent: AGENT,
      connectionTimeout: CONNECTION_TIMEOUT,
      // Without it a frozen gateway would use up the budget of a part, and leave no time for another try.
      socketTimeout: Math.min(MAX_SILENCE, transferTimeout / 3),
    },
  }
}
