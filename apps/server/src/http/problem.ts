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

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request is malformed',
  401: 'Sign in first',
  403: 'This is not allowed',
  404: 'There is nothing here',
  405: 'This method does not work here',
  408: 'The request took too long',
  411: 'The request does not say how long it is',
  412: 'The precondition of the request does not hold',
  413: 'The upload is too large',
  415: 'The content is of a type that is not accepted',
  417: 'What the request expects cannot be met',
  421: 'This server does not answer under that name',
  422: 'The request lacks something',
  429: 'There were too many attempts',
  431: 'The header fields are too large',
  460: 'The content is not what its checksum says',
  500: 'The server failed',
  501: 'The server cannot do this',
  503: 'The server is busy',
  505: 'The version of HTTP is not supported',
  507: 'The server is full',
}

/** @param members further members; `type` and `title` replace those of the status */
export function createProblem(status: number, detail?: string, members: object = {}): Problem {
  const title = TITLES[status] ?? STATUS_CODES[status] ?? 'Error'
  return { title, status, ...(detail === undefined ? {} : { detail }), ...members }
}
