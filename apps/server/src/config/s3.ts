import type { ReadFlag } from './flag-reader.ts'
import { ConfigError, parseBucket, parseEndpoint, parseFieldValue, parseOneOf } from './values.ts'

/** The bucket that the objects are in; its keys are what the SDK finds, in AWS_ACCESS_KEY_ID and so on. */
export interface S3Config {
  readonly bucket: string
  /** A URL; `undefined`: AWS. */
  readonly endpoint: string | undefined
  readonly region: string | undefined
  readonly prefix: string
}

export function readS3(read: ReadFlag): S3Config | undefined {
  const store = read('store', (text) => parseOneOf(text, ['fs', 's3']))
  const optional = (name: string, parse: (text: string) => string) =>
    read(name, (text) => {
      if (text === '') return undefined
      // An operator who names a bucket does not want the videos on this machine's disk.
      if (store === 'fs') throw new ConfigError('needs --store s3')
      return parse(text)
    })
  const bucket = optional('s3-bucket', parseBucket)
  const endpoint = optional('s3-endpoint', parseEndpoint)
  const region = optional('s3-region', parseFieldValue)
  const prefix = optional('s3-prefix', parseFieldValue) ?? ''
  if (store === 'fs') return undefined
  if (bucket === undefined) throw new ConfigError('--store s3 needs --s3-bucket. Set the name of the bucket.')
  return { bucket, endpoint, region, prefix }
}
