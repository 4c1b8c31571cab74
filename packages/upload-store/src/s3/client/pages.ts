import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { BadAnswer } from './errors.ts'

export interface Listed {
  readonly name: string
  readonly size: number
  /** When it was written, ms since the epoch. */
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
 * Returns what a page lists.
 *
 * @throws BadAnswer if the page is not what was asked for: a sweep removes what no page names
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
  if (IsTruncated && listed.length === 0) throw badPage('no name, and says that more follow')
  let before = asked.StartAfter
  for (const { name } of listed) {
    if (!name.startsWith(asked.Prefix) || Buffer.compare(Buffer.from(name), Buffer.from(before)) <= 0) {
      throw badPage(`${JSON.stringify(name)} out of order`)
    }
    before = name
  }
  return { listed, isLast: !IsTruncated }
}

/** S3 answers with the name of the bucket behind an access point or an alias. */
function isAlias(bucket: string): boolean {
  return bucket.startsWith('arn:') || bucket.endsWith('-s3alias')
}

export function badPage(fault: string): BadAnswer {
  return new BadAnswer(`A list of S3's does not answer its request: it has ${fault}.`)
}
