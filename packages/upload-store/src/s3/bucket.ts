import { setTimeout as sleep } from 'node:timers/promises'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { explain, hasStatus, isUnavailable, triesOf, unavailable } from './errors.ts'

/** Before a call is made again, in ms. */
export const FIRST_PAUSE = 50
export const MAX_PAUSE = 2000

/** The slowest way to the store that still counts as one, in bytes a ms. */
const SLOWEST = 1024

export interface Found {
  readonly text: string
  readonly tag: string
}

/**
 * What became of a write: the tag of what is there now, or `null` where it was refused. `isUnsure`: a try before that may have
 * been heard, and its answer lost.
 */
export type Overwrite = { readonly tag: string } | { readonly tag: null; readonly isUnsure: boolean }

export interface Listed {
  readonly name: string
  readonly size: number
  /** When it was written, ms since the epoch. */
  readonly written: number
}

export interface ListedPage {
  readonly listed: readonly Listed[]
  /** Whether there is nothing behind it. */
  readonly isLast: boolean
}

/**
 * The calls that a store makes. Each ends by a deadline, retries included. A *tag* is an ETag of S3's without quotes: Ceph
 * compares it so, and AWS takes both.
 */
export class Bucket {
  readonly client: S3Client
  readonly name: string
  /** ms that one call may take. */
  readonly timeout: number

  constructor(client: S3Client, name: string, timeout: number) {
    this.client = client
    this.name = name
    this.timeout = timeout
  }

  /**
   * Tries until the deadline: every call may be made twice, since those that must not be are conditional.
   *
   * @throws StoreError UNAVAILABLE, NO_SPACE; an Error that names the remedy
   */
  async call<T>(
    task: (options: { abortSignal: AbortSignal }) => Promise<T>,
    ms: number = this.timeout,
  ): Promise<T> {
    const deadline = performance.now() + ms
    const abortSignal = AbortSignal.timeout(ms)
    // Not the signal alone: it does not reach a body that has begun.
    const late = new Promise<never>((_resolve, reject) => {
      abortSignal.addEventListener('abort', () => reject(abortSignal.reason), { once: true })
    })
    // Nobody may be waiting any more.
    late.catch(() => {})
    let last: unknown
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, MAX_PAUSE)) {
      try {
        return await Promise.race([task({ abortSignal }), late])
      } catch (error) {
        // That time is over says less than what went wrong before.
        if (abortSignal.aborted && last !== undefined) throw last
        const fault = explain(error, this.name)
        last = fault
        if (!isUnavailable(fault) || performance.now() + pause > deadline) throw fault
        // Not all at the same time, as they were cut off.
        await sleep(Math.random() * pause)
      }
    }
  }

  /** A small object, or `null` where there is none. */
  get(name: string): Promise<Found | null> {
    const command = new GetObjectCommand({ Bucket: this.name, Key: name })
    return this.call(async (options) => {
      try {
        const { Body, ETag } = await this.client.send(command, options)
        return { text: (await Body?.transformToString()) ?? '', tag: unquoted(ETag) }
      } catch (error) {
        return nullIfMissing(error)
      }
    })
  }

  /** Its tag, or `null` where there is none. */
  head(name: string): Promise<{ readonly tag: string; readonly size: number } | null> {
    const command = new HeadObjectCommand({ Bucket: this.name, Key: name })
    return this.call(async (options) => {
      try {
        const { ETag, ContentLength = 0 } = await this.client.send(command, options)
        return { tag: unquoted(ETag), size: ContentLength }
      } catch (error) {
        return nullIfMissing(error)
      }
    })
  }

  /** Writes an object whatever there is; its tag. */
  async put(name: string, body: Uint8Array): Promise<string> {
    const command = new PutObjectCommand({ Bucket: this.name, Key: name, Body: body })
    const { ETag } = await this.call(
      (options) => this.client.send(command, options),
      this.timeoutFor(body.length),
    )
    return unquoted(ETag)
  }

  /** Writes an object in one step only over the one with the tag `expected`, with `null` only where there is none. */
  putOver(name: string, text: string, expected: string | null): Promise<Overwrite> {
    const body = Buffer.from(text)
    const condition = expected === null ? { IfNoneMatch: '*' } : { IfMatch: expected }
    const input = { Bucket: this.name, Key: name, Body: body, ...condition }
    let calls = 0
    return this.call(async (options) => {
      calls++
      try {
        const { ETag } = await this.client.send(new PutObjectCommand(input), options)
        return { tag: unquoted(ETag) }
      } catch (error) {
        // AWS, where another write of the same object is under way, such as a try of ours before.
        if (hasStatus(error, 409)) throw unavailable(error)
        // AWS answers 404 to If-Match where there is nothing (any more).
        const refused = hasStatus(error, 412) || (expected !== null && isMissing(error))
        if (!refused) throw error
        return { tag: null, isUnsure: calls > 1 || triesOf(error) > 1 }
      }
    })
  }

  /**
   * Removes an object; `false` where it has not the tag `expected`. Engines that know no conditional DELETE do not look at
   * that.
   */
  remove(name: string, expected?: string): Promise<boolean> {
    const condition = expected === undefined ? {} : { IfMatch: expected }
    const command = new DeleteObjectCommand({ Bucket: this.name, Key: name, ...condition })
    return this.call(async (options) => {
      try {
        await this.client.send(command, options)
        return true
      } catch (error) {
        if (expected !== undefined && hasStatus(error, 412)) return false
        throw error
      }
    })
  }

  /** Up to `limit` objects, 1000 at the most, behind the name `after`, in the order of their names' bytes. */
  async page(prefix: string, after: string, limit = 1000): Promise<ListedPage> {
    const command = new ListObjectsV2Command({
      Bucket: this.name,
      Prefix: prefix,
      StartAfter: after,
      MaxKeys: limit,
    })
    const { Contents = [], IsTruncated } = await this.call((options) => this.client.send(command, options))
    const listed = Contents.map(({ Key = '', Size = 0, LastModified }) => ({
      name: Key,
      size: Size,
      written: LastModified?.getTime() ?? 0,
    }))
    return { listed, isLast: IsTruncated !== true }
  }

  async *list(prefix: string): AsyncGenerator<Listed> {
    for (let after = ''; ; ) {
      const { listed, isLast } = await this.page(prefix, after)
      yield* listed
      const last = listed.at(-1)
      if (isLast || last === undefined) return
      after = last.name
    }
  }

  timeoutFor(bytes: number): number {
    return Math.ceil(this.timeout + bytes / SLOWEST)
  }
}

export function unquoted(etag = ''): string {
  return etag.replaceAll('"', '')
}

function isMissing(error: unknown): boolean {
  // A missing bucket is no missing object.
  return hasStatus(error, 404) && !(error instanceof Error && error.name === 'NoSuchBucket')
}

function nullIfMissing(error: unknown): null {
  if (isMissing(error)) return null
  throw error
}
