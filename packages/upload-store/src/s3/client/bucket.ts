import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { checked, readBytes } from './answers.ts'
import { hasStatus, isMissing, isRefusal, unavailable } from './errors.ts'
import { type Listed, type ListedPage, parsePage } from './pages.ts'
import { type Attempt, retry } from './retry.ts'

/** The slowest supported connection to S3, in bytes per ms. It extends the deadline of large requests. */
const SLOWEST = 1024

export interface Found {
  readonly text: string
  readonly tag: string
}

export interface Head {
  readonly tag: string
  readonly size: number
}

/**
 * The result of a conditional write: the tag of the object, or `null` if S3 rejected it. `isUnsure`: an earlier attempt
 * whose response was lost may have succeeded.
 */
export type Overwrite = { readonly tag: string } | { readonly tag: null; readonly isUnsure: boolean }

/** Time limits, in ms. */
export interface TimeLimits {
  /** The limit of one operation that a client waits for. */
  readonly timeout: number
  /** The limit of one step of an upload, and of a pause in a body that is being read. */
  readonly transferTimeout: number
}

export interface CallOptions {
  /** The size of the request's body in bytes, which extends its deadline. */
  readonly bytes?: number | undefined
  /** The factor by which the response may exceed the budget once S3 has the request. */
  readonly slowness?: number | undefined
  /** Once aborted, no further attempt starts. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Sends a store's requests to S3. Each has a deadline, retries included. A *tag* is an ETag without quotes: Ceph
 * compares it in this form, and AWS accepts both.
 */
export class Bucket {
  readonly client: S3Client
  readonly name: string
  readonly limits: TimeLimits
  readonly #startBudget: () => number

  /** @param startBudget returns the deadline of a request that begins now (`transferTimeout` later) */
  constructor(client: S3Client, name: string, limits: TimeLimits, startBudget?: () => number) {
    this.client = client
    this.name = name
    this.limits = limits
    this.#startBudget = startBudget ?? (() => performance.now() + limits.transferTimeout)
  }

  /** Returns the bucket for one operation: all its requests together end within `ms`. */
  within(ms: number): Bucket {
    const deadline = performance.now() + ms
    return derive(this, () => deadline)
  }

  /** Returns the bucket with another time budget for each request. */
  withTimeout(ms: number): Bucket {
    return derive(this, () => performance.now() + ms)
  }

  /** Time until the deadline, in ms. */
  get left(): number {
    return this.#startBudget() - performance.now()
  }

  /**
   * Retries until the deadline. Each request may be sent twice, because those that must take effect only once are
   * conditional.
   *
   * @throws StoreError UNAVAILABLE, NO_SPACE; an Error that names the remedy
   */
  call<T>(
    task: (options: { abortSignal: AbortSignal }, attempt: Attempt) => Promise<T>,
    { bytes, slowness, signal }: CallOptions = {},
  ): Promise<T> {
    const now = performance.now()
    const budget = this.left + (bytes ?? 0) / SLOWEST
    const isSlow = bytes !== undefined || slowness !== undefined
    const slowDeadline = isSlow ? now + budget * (slowness ?? 1) : undefined
    return retry((attempt) => task({ abortSignal: attempt.signal }, attempt), {
      bucket: this.name,
      deadline: now + budget,
      slowDeadline,
      signal,
    })
  }

  /** Returns a small object of the store, or `null` if S3 has no object of that name. */
  get(name: string): Promise<Found | null> {
    const command = checked(new GetObjectCommand({ Bucket: this.name, Key: name }), 'text')
    return this.call(async (options) => {
      try {
        const { Body, ETag } = await this.client.send(command, options)
        return { text: (await readBytes(Body)).toString(), tag: unquoted(ETag) }
      } catch (error) {
        if (isMissing(error)) return null
        throw error
      }
    })
  }

  /** Returns the tag and the size of an object, or `null` if S3 has no object of that name. */
  head(name: string): Promise<Head | null> {
    const command = checked(new HeadObjectCommand({ Bucket: this.name, Key: name }), 'head')
    return this.call(async (options) => {
      try {
        const { ETag, ContentLength = 0 } = await this.client.send(command, options)
        return { tag: unquoted(ETag), size: ContentLength }
      } catch (error) {
        if (!isRefusal(error)) throw error
        return await headByGet(this, name, options)
      }
    })
  }

  /** Writes an object or replaces an existing one, and returns its tag. */
  async put(name: string, body: Uint8Array): Promise<string> {
    const command = checked(new PutObjectCommand({ Bucket: this.name, Key: name, Body: body }), 'tag')
    const { ETag } = await this.call((options) => this.client.send(command, options), { bytes: body.length })
    return unquoted(ETag)
  }

  /**
   * Atomically replaces the object with the tag `expected`; if `expected` is `null`, writes only if the object does not
   * exist.
   */
  putOver(name: string, text: string, expected: string | null): Promise<Overwrite> {
    const body = Buffer.from(text)
    const condition = expected === null ? { IfNoneMatch: '*' } : { IfMatch: expected }
    const input = { Bucket: this.name, Key: name, Body: body, ...condition }
    return this.call(async (options, { number }) => {
      try {
        const { ETag } = await this.client.send(checked(new PutObjectCommand(input), 'tag'), options)
        return { tag: unquoted(ETag) }
      } catch (error) {
        // AWS answers 409 during another write of the same object, such as an earlier attempt.
        if (hasStatus(error, 409)) throw unavailable(error)
        // AWS answers 404 to If-Match if the object does not exist.
        const refused = hasStatus(error, 412) || (expected !== null && isMissing(error))
        if (!refused) throw error
        return { tag: null, isUnsure: number > 1 }
      }
    })
  }

  /**
   * Removes an object; returns `false` if its tag is not `expected`. Engines without conditional DELETE ignore the
   * condition.
   */
  remove(name: string, expected?: string): Promise<boolean> {
    const condition = expected === undefined ? {} : { IfMatch: expected }
    const input = { Bucket: this.name, Key: name, ...condition }
    const command = checked(new DeleteObjectCommand(input), 'nothing')
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

  /** Lists up to `limit` objects, at most 1000, after the name `after`, in the order of the bytes of their names. */
  page(prefix: string, after: string, limit = 1000): Promise<ListedPage> {
    const asked = { Bucket: this.name, Prefix: prefix, StartAfter: after, MaxKeys: limit }
    const command = checked(new ListObjectsV2Command(asked), { root: 'ListBucketResult' })
    return this.call(async (options) => parsePage(await this.client.send(command, options), asked))
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
}

// These are functions and not members: if the class mentions itself or has a private method, TypeScript 7.0.2 emits
// `_a` for the property `Bucket` of the SDK's inputs.

function derive({ client, name, limits }: Bucket, startBudget: () => number): Bucket {
  return new Bucket(client, name, limits, startBudget)
}

/** Sends a GET, because the response to HEAD contains no error code, so a proxy's 404 looks like that of S3. */
async function headByGet(
  { client, name: Bucket }: Bucket,
  name: string,
  options: { abortSignal: AbortSignal },
): Promise<Head | null> {
  const command = checked(new GetObjectCommand({ Bucket, Key: name }), 'object')
  try {
    const { Body, ETag, ContentLength = 0 } = await client.send(command, options)
    if (Body !== undefined && 'destroy' in Body) Body.destroy()
    return { tag: unquoted(ETag), size: ContentLength }
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

export function unquoted(etag = ''): string {
  return etag.replaceAll('"', '')
}
