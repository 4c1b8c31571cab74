import { ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import type { ClusterConnection } from '../../s3/cluster.mjs'

/** All that is in the bucket below a prefix, past the store. */
export async function bucketNames(
  { endpoint, bucket: Bucket, credentials }: ClusterConnection,
  Prefix: string,
): Promise<{ readonly names: readonly string[]; readonly multiparts: readonly string[] }> {
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true })
  const names: string[] = []
  for (let StartAfter = ''; ; StartAfter = names.at(-1) ?? '') {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix, StartAfter }))
    if (Contents.length === 0) break
    names.push(...Contents.map(({ Key = '' }) => Key))
  }
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix }))
  client.destroy()
  return { names, multiparts: Uploads.map(({ Key = '' }) => Key) }
}
