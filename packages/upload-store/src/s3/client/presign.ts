import { GetObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { SignedUrlOptions } from '../../contract/stored-object.ts'
import type { Bucket } from './bucket.ts'

/** Returns a URL at which every client can read an object. Its signature covers the response's header fields. */
export async function signUrl(
  { client, name: Bucket }: Bucket,
  { name: Key, type }: { readonly name: string; readonly type?: string },
  { expiresIn = 60, contentDisposition, cacheControl }: SignedUrlOptions = {},
): Promise<string> {
  const command = new GetObjectCommand({
    Bucket,
    Key,
    ResponseContentType: type,
    ResponseContentDisposition: contentDisposition,
    ResponseCacheControl: cacheControl,
  })
  return getSignedUrl(client, command, { expiresIn })
}
