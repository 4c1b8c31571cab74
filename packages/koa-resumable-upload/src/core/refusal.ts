import { STATUS_CODES } from 'node:http'
import { StoreError, uploadErrorStatus } from 'upload-store'

/**
 * A refused request: its problem (RFC 9457), and what the response says about the upload. The statuses of the draft's
 * refusals are in this file, except those of the store's errors (`uploadErrorStatus` of upload-store) and of errors that the app
 * throws. tus has its own: `tus/hooks.ts`, `tus/checksum.ts`.
 */
export interface Refusal {
  readonly status: number
  /** Where a type is registered for it (about:blank). */
  readonly type?: string
  readonly title: string
  readonly detail?: string
  /** Further members of the problem. */
  readonly members?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** Whether this is the last word on the upload: nothing is left to be resumed. */
  readonly final: boolean
  /** Whether Upload-Limit goes with it. */
  readonly limited?: boolean
}

/** A refusal on its way through code that throws. */
export class RefusedError extends Error {
  readonly refusal: Refusal
  /** Whether the upload is of no use any more. */
  readonly fatal: boolean

  constructor(refusal: Refusal, { fatal = false }: { readonly fatal?: boolean } = {}) {
    super(refusal.title)
    this.name = 'RefusedError'
    this.refusal = refusal
    this.fatal = fatal
  }
}

const TYPES = 'https://iana.org/assignments/http-problem-types'

export function malformed(detail: string): Refusal {
  return { status: 400, title: 'The request is malformed', detail, final: false }
}

export function unknownUpload(): Refusal {
  return { status: 404, title: 'There is no such upload', final: false }
}

export function notPartialUpload(): Refusal {
  return {
    status: 415,
    title: 'The content is of a type that is not accepted',
    detail: 'What is appended to an upload is application/partial-upload.',
    headers: { 'Accept-Patch': 'application/partial-upload' },
    final: false,
  }
}

export function formInParts(): Refusal {
  return {
    status: 415,
    title: 'The content is of a type that is not accepted',
    detail: 'A form (multipart/form-data) can only be sent whole.',
    final: true,
  }
}

export function wrongOffset(expected: number, provided: number): Refusal {
  return {
    status: 409,
    type: `${TYPES}#mismatching-upload-offset`,
    title: 'The offset does not match the upload',
    detail: `Upload-Offset ${provided} does not match: ${expected} bytes are stored. Resume at ${expected}.`,
    members: { 'expected-offset': expected, 'provided-offset': provided },
    final: false,
  }
}

export function wrongLength(detail: string): Refusal {
  return {
    status: 400,
    type: `${TYPES}#inconsistent-upload-length`,
    title: 'The lengths of the upload contradict each other',
    detail,
    final: false,
  }
}

export function beyondLength(length: number): Refusal {
  return wrongLength(`The request has content past the end of the upload, which has ${length} bytes.`)
}

/** No path of the app accepts the part that a request has sent. */
export function noTarget(): Refusal {
  return {
    status: 404,
    title: 'No upload can be created here',
    detail: 'Upload-Complete: ?0 announces a part of an upload, and this path creates no uploads.',
    final: false,
  }
}

export function alreadyComplete(): Refusal {
  return {
    status: 400,
    type: `${TYPES}#completed-upload`,
    title: 'The upload is completed',
    detail: 'Nothing can be appended to it any more.',
    final: false,
  }
}

export function tooLong(detail: string, { final }: { readonly final: boolean }): Refusal {
  return { status: 413, title: 'The upload is too large', detail, final, limited: true }
}

export function invalidDigest(algorithm: string, header: string, reason: string): Refusal {
  return {
    status: 400,
    type: `${TYPES}#digest-invalid-values`,
    title: 'A digest of the request is invalid',
    detail: `${header}: ${reason}`,
    members: { invalid_digests: [{ algorithm, header, reason }] },
    final: false,
  }
}

export function wrongDigest(
  digests: readonly {
    readonly algorithm: string
    readonly provided_digest: string
    readonly header: string
  }[],
  { final }: { readonly final: boolean },
): Refusal {
  return {
    status: 400,
    type: `${TYPES}#digest-mismatched-values`,
    title: 'The content is not what its digest says',
    members: { mismatched_digests: digests },
    final,
  }
}

/** Returns the refusal that an error stands for, or `null` if the error is unexpected. */
export function toRefusal(error: unknown): Refusal | null {
  if (error instanceof RefusedError) return error.refusal
  if (!(error instanceof Error)) return null
  if (error instanceof StoreError) return storeRefusal(error)
  const { status, expose, headers, problem } = error as HttpErrorLike
  if (typeof status !== 'number' || status < 400 || (status >= 500 && expose !== true)) return null
  return {
    status,
    title: STATUS_CODES[status] ?? 'Error',
    ...(expose === false ? {} : { detail: error.message }),
    ...(typeof problem === 'object' && problem !== null ? { members: { ...problem } } : {}),
    ...(headers === undefined ? {} : { headers }),
    final: false,
  }
}

/** As http-errors makes them, and Koa's ctx.throw. */
type HttpErrorLike = Error & {
  readonly status?: unknown
  readonly expose?: unknown
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly problem?: unknown
}

function storeRefusal(error: StoreError): Refusal | null {
  if (error.code === 'CORRUPT') {
    return { status: 410, title: 'The upload is damaged and cannot be resumed', final: false }
  }
  const status = uploadErrorStatus(error)
  if (status === null || status === 500) return null
  return { status, title: STATUS_CODES[status] ?? 'Error', detail: error.message, final: false }
}
