import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { BadAnswer } from './errors.ts'

export interface Listed {
  readonly name: string
  readonly size: number
  /** When the object was written, in ms since the epoch. */
  readonly written: number
}

export interface ListedPage {
  readonly listed: readonly Listed[]
  /** Whether no object follows. */
  readonly isLast: boolean
}

interface Asked {
  readonly Bucket: string
  readonly Prefix: string
  readonly StartAfter: string
}

/**
 * Returns the entries of a page.
 *
 * @throws BadAnswer if the page does not match the request, because a sweep removes objects that no page names
 */
export function parsePage(output: ListObjectsV2CommandOutput, asked: Asked): ListedPage {
  const { Contents = [], IsTruncated, KeyCount, Name, Prefix = '' } = output
  const listed = Contents.map(({ Key, Size, LastModified }) => {
    if (Key === undefined || Size === undefined || LastModified === undefined)
      throw badPage('an incomplete entry')
    return { name: Key, size: Size, written: LastModified.getTime() }
  })
  if (Name === undefined || KeyCount === undefined || IsTruncated === undefined)
    throw badPage('too few fields')
  if (!isAlias(asked.Bucket) && Name !== asked.Bucket) throw badPage(`the bucket ${JSON.stringify(Name)}`)
  if (Prefix !== asked.Prefix) throw badPage(`the prefix ${JSON.stringify(Prefix)}`)
  if (KeyCount !== listed.length) throw badPage(`${listed.length} of ${KeyCount} names`)
  if (IsTruncated && listed.length === 0) throw badPage('no name, and announces more')
  let before = asked.StartAfter
  for (const { name } of listed) {
    if (!name.startsWith(asked.Prefix) || Buffer.compare(Buffer.from(name), Buffer.from(before)) <= 0) {
      throw badPage(`${JSON.stringify(name)} out of order`)
    }
    before = name
  }
  return { listed, isLast: !IsTruncated }
}

/** Whether the name is an access point or an alias. S3 then answers with the name of its bucket. */
function isAlias(bucket: string): boolean {
  return bucket.startsWith('arn:') || bucket.endsWith('-s3alias')
}

export function badPage(fault: string): BadAnswer {
  return new BadAnswer(`A listing by S3 does not match its request: it has ${fault}.`)
}
