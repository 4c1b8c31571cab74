import { GetObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { SignedUrlOptions } from '../../contract/stored-object.ts'
import type { Bucket } from './bucket.ts'

/** A URL at which anybody can read an object; what the store is to answer there is part of the signature. */
export async function signUrl(
  { client, name: Bucket }: Bucket,
  { name: Key, type }: { readonly name: string; readonly type?: string },
  { expiresIn = 60, contentDisposition, cacheControl }: SignedUrlOptions = {},
): Promise<URL> {
  const command = new GetObjectCommand({
    Bucket,
    Key,
    ResponseContentType: type,
    ResponseContentDisposition: contentDisposition,
    ResponseCacheControl: cacheControl,
  })
  return new URL(await getSignedUrl(client, command, { expiresIn }))
}
