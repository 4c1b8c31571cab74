import {
  CreateBucketCommand,
  GetBucketLifecycleConfigurationCommand,
  type LifecycleRule,
  PutBucketLifecycleConfigurationCommand,
} from '@aws-sdk/client-s3'
import { checked } from '../client/answers.ts'
import { type ConnectionOptions, connect } from '../client/connection.ts'
import { hasStatus, isNamed } from '../client/errors.ts'
import { Names } from '../context/names.ts'

export interface SetUpOptions extends ConnectionOptions {
  /** After how many days the bucket removes parts of uploads that were never completed (7). */
  readonly abortAfterDays?: number | undefined
}

/**
 * Creates the bucket if it is missing, and adds a lifecycle rule that removes uploads which were never completed. The rule
 * backs up `sweep`. The bucket's other lifecycle rules are kept. Call it once, with a key that has these rights.
 *
 * @example
 * await setUpBucket({ endpoint: 'http://127.0.0.1:7480', bucket: 'videos', prefix: 'app/' })
 */
export async function setUpBucket(options: SetUpOptions): Promise<void> {
  const bucket = connect(options)
  const { client } = bucket
  const Bucket = bucket.name
  const root = 'LifecycleConfiguration'
  const { blobs } = new Names(options.prefix ?? '')
  const rule: LifecycleRule = {
    ID: `upload-store ${blobs}`,
    Status: 'Enabled',
    Filter: { Prefix: blobs },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: options.abortAfterDays ?? 7 },
  }
  await bucket.call(async (call) => {
    try {
      await client.send(checked(new CreateBucketCommand({ Bucket }), 'done'), call)
    } catch (error) {
      if (!isNamed(error, 'BucketAlreadyOwnedByYou', 'BucketAlreadyExists')) throw error
    }
  })
  await bucket.call(async (call) => {
    const before = await client
      .send(checked(new GetBucketLifecycleConfigurationCommand({ Bucket }), { root }), call)
      .catch((error) => {
        if (hasStatus(error, 404)) return { Rules: [] }
        throw error
      })
    const Rules = [...(before.Rules ?? []).filter(({ ID }) => ID !== rule.ID), rule]
    const LifecycleConfiguration = { Rules }
    const put = new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration })
    await client.send(checked(put, 'done'), call)
  })
  if (options.client === undefined) client.destroy()
}
