import { STATUS_CODES } from 'node:http'

/** What a client is told, by RFC 9457. */
export interface Problem {
  /** Where one is registered for it (about:blank). */
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

export function titleOf(status: number): string {
  return TITLES[status] ?? STATUS_CODES[status] ?? 'Error'
}
