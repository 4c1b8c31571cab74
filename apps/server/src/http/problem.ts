import { STATUS_CODES } from 'node:http'

/** The media type of a problem in JSON. */
export const PROBLEM_TYPE = 'application/problem+json'

/** The body of a response with an error status (RFC 9457). */
export interface Problem {
  /** A URI that identifies the kind of problem; without it the status does (`about:blank`). */
  readonly type?: string
  readonly title: string
  readonly status: number
  readonly detail?: string
}

/** The titles of all statuses of the server. The README lists when each occurs, and the remedy; a test compares the two. */
const TITLES: Readonly<Record<number, string>> = {
  400: 'The request is malformed',
  401: 'Sign in first',
  403: 'This is not allowed',
  404: 'Not found',
  405: 'The method is not allowed here',
  408: 'The request took too long',
  409: 'The request conflicts with the upload',
  411: 'Content-Length is missing',
  412: 'The precondition of the request does not hold',
  413: 'The upload is too large',
  415: 'The content type is not accepted',
  417: 'The expectation of the request is not supported',
  421: 'The host name is not allowed',
  422: 'The form has no file',
  429: 'Too many requests',
  431: 'The header fields are too large',
  460: 'The content does not match its checksum',
  500: 'The server failed',
  501: 'The request uses a feature that is not supported',
  503: 'The server cannot answer now',
  505: 'The version of HTTP is not supported',
  507: 'The server is full',
}

/** @param members further members; `type` and `title` replace those of the status */
export function createProblem(status: number, detail?: string, members: object = {}): Problem {
  const title = TITLES[status] ?? STATUS_CODES[status] ?? 'Error'
  return { title, status, ...(detail === undefined ? {} : { detail }), ...members }
}
