import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { AGENT } from './agent.ts'
import { Bucket } from './bucket.ts'

const CONNECTION_TIMEOUT = 2000
const MAX_ATTEMPTS = 3

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
  /** A client of the SDK's to use in place of one made of the above; its own timeouts then hold as well. */
  readonly client?: S3Client | undefined
  /** What one call to S3 may take, retries included, in ms (30,000); more for a part's bytes, and for completing. */
  readonly timeout?: number | undefined
}

export function connect(options: ConnectionOptions): Bucket {
  const { bucket, timeout = 30_000 } = options
  return new Bucket(options.client ?? new S3Client(configOf(options, timeout)), bucket, timeout)
}

function configOf(options: ConnectionOptions, timeout: number): S3ClientConfig {
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
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      httpAgent: AGENT,
      httpsAgent: AGENT,
      connectionTimeout: CONNECTION_TIMEOUT,
      // Without it a frozen gateway would use up the deadline, and leave no time for another try.
      socketTimeout: timeout / MAX_ATTEMPTS,
    },
  }
}
