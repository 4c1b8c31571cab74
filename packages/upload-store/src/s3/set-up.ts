import {
  CreateBucketCommand,
  GetBucketLifecycleConfigurationCommand,
  type LifecycleRule,
  PutBucketLifecycleConfigurationCommand,
} from '@aws-sdk/client-s3'
import { type ConnectionOptions, connect } from './connection.ts'
import { hasStatus, isNamed } from './errors.ts'
import { Names } from './names.ts'

export interface SetUpOptions extends ConnectionOptions {
  /** After how many days the bucket removes parts of uploads that were never completed (7). */
  readonly abortAfterDays?: number | undefined
}

/**
 * Makes the bucket where it is missing, and lets it remove by itself what nobody has completed, a second net below `sweep`. Its
 * other lifecycle rules stay. To be called once, by whoever may do so.
 *
 * @example
 * await setUpBucket({ endpoint: 'http://127.0.0.1:7480', bucket: 'videos', prefix: 'app/' })
 */
export async function setUpBucket(options: SetUpOptions): Promise<void> {
  const bucket = connect(options)
  const { client } = bucket
  const Bucket = bucket.name
  const { blobs } = new Names(options.prefix ?? '')
  const rule: LifecycleRule = {
    ID: `upload-store ${blobs}`,
    Status: 'Enabled',
    Filter: { Prefix: blobs },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: options.abortAfterDays ?? 7 },
  }
  await bucket.call(async (call) => {
    try {
      await client.send(new CreateBucketCommand({ Bucket }), call)
    } catch (error) {
      if (!isNamed(error, 'BucketAlreadyOwnedByYou', 'BucketAlreadyExists')) throw error
    }
  })
  await bucket.call(async (call) => {
    const before = await client
      .send(new GetBucketLifecycleConfigurationCommand({ Bucket }), call)
      .catch((error) => {
        if (hasStatus(error, 404)) return { Rules: [] }
        throw error
      })
    const Rules = [...(before.Rules ?? []).filter(({ ID }) => ID !== rule.ID), rule]
    const LifecycleConfiguration = { Rules }
    await client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration }), call)
  })
  if (options.client === undefined) client.destroy()
}
