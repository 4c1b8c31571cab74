/**
 * All errors of this package: the codes of those that it throws at the app and the refusals with which it answers a client. The statuses of a store's errors are in `uploadErrorStatus` of upload-store. The README lists them.
 */

/** Mistakes of the app: the middleware throws, and Koa answers 500. */
type MistakeCode =
  /**
   * Other middleware has read the body of a request that an upload needs, or reads it.
   * When: a body parser is mounted above the upload middleware.
   * Remedy: mount the upload middleware above body parsers.
   */
  | 'BODY_CONSUMED'
  /**
   * The option `aroundBody` has resolved without receiving the body.
   * When: its function does not call `receive()`.
   * Remedy: call `receive()`, or throw.
   */
  | 'BODY_NOT_RECEIVED'

export class BodyConsumedError extends Error {
  readonly code: 'BODY_CONSUMED' & MistakeCode = 'BODY_CONSUMED'
  /** For Koa, which does not send the message of a 500 to the client. */
  readonly status = 500
  override readonly name = 'BodyConsumedError'
}

export function bodyNotReceived(): Error {
  return mistake('BODY_NOT_RECEIVED', 'options.aroundBody did not call receive(). Call it, or throw.')
}

function mistake(code: MistakeCode, message: string): Error {
  return Object.assign(new Error(message), { code })
}

const UNKNOWN = 'It expired, was cancelled or never existed. Create a new upload.'

/** A refused request: its problem (RFC 9457), and what the response says about the upload. */
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
  return { status: 404, title: 'There is no such upload', detail: UNKNOWN, final: false }
}

export function notPartialUpload(): Refusal {
  return {
    status: 415,
    title: 'The content type is not accepted',
    detail: 'Content appended to an upload needs Content-Type: application/partial-upload.',
    headers: { 'Accept-Patch': 'application/partial-upload' },
    final: false,
  }
}

export function formInParts(): Refusal {
  return {
    status: 415,
    title: 'The content type is not accepted',
    detail: 'A form (multipart/form-data) cannot be sent in parts. Send the file as raw content.',
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
  return wrongLength(
    `The request has content past the end of the upload, which has ${length} bytes. Create a new upload.`,
  )
}

/** No path of the app accepts the part that a request has sent. */
export function noTarget(): Refusal {
  return {
    status: 404,
    title: 'No upload can be created here',
    detail:
      'Upload-Complete: ?0 announces a part of an upload, and this path creates no uploads. Check the path.',
    final: false,
  }
}

export function alreadyComplete(): Refusal {
  return {
    status: 400,
    type: `${TYPES}#completed-upload`,
    title: 'The upload is completed',
    detail: 'A complete upload accepts no more content. Create a new upload.',
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
    title: 'The content does not match its digest',
    members: { mismatched_digests: digests },
    final,
  }
}

export function damagedUpload(): Refusal {
  return { status: 410, title: 'The upload is damaged and cannot be resumed', detail: DAMAGED, final: false }
}

const DAMAGED = 'Create a new upload and send the file again.'

/** Answers by tus. The others above hold for both protocols. */

export function wrongTusVersion(version: string): Refusal {
  return {
    status: 412,
    title: 'The version of tus is not supported',
    detail: `This server supports only tus ${version}. Send Tus-Resumable: ${version}.`,
    headers: { 'Tus-Version': version },
    final: false,
  }
}

export function noTusTarget(): Refusal {
  const detail = 'The server creates no upload for this request. Check the path and Upload-Metadata.'
  return { status: 404, title: 'No upload can be created here', detail, final: false }
}

export function notOffsetStream(): Refusal {
  return {
    status: 415,
    title: 'The content type is not accepted',
    detail: 'Content of an upload needs Content-Type: application/offset+octet-stream.',
    final: false,
  }
}

export function beyondTusLength(length: number): Refusal {
  const detail = `The request has content past the end of the upload, which has ${length} bytes. Send less.`
  return { status: 413, title: 'The upload is too large', detail, final: false }
}

export function metadataTooLong(length: number, limit: number): Refusal {
  return {
    status: 431,
    title: 'The metadata of the upload is too long',
    detail: `Upload-Metadata has ${length} characters; the limit is ${limit}. Send fewer or shorter values.`,
    final: false,
  }
}

/** The store keeps the metadata of the app and of the client together. */
export function storedMetadataTooLong(length: number, limit: number): Refusal {
  const detail = `Upload-Metadata and the metadata of the server have ${length} bytes together; the limit is ${limit}. Send shorter values.`
  return { ...metadataTooLong(length, limit), detail }
}

/** The status that tus defines for it. */
export function wrongChecksum(detail: string): Refusal {
  return { status: 460, title: 'The content does not match its checksum', detail, final: false }
}

export function finalUpload(): Refusal {
  const detail = 'The upload was put together from parts and accepts no content. Create a new upload.'
  return { status: 403, title: 'The upload is final', detail, final: false }
}

export function wrongPart(url: string, fault: string): Refusal {
  return { status: 400, title: 'The parts cannot be put together', detail: `${url} ${fault}`, final: false }
}
