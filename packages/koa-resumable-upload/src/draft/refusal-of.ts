import { STATUS_CODES } from 'node:http'
import { StoreError, uploadErrorStatus } from 'upload-store'
import { type Refusal, RefusedError } from './refusal.ts'

/** What an error says to the client, or `null` where it is a failure that nobody foresaw. */
export function refusalOf(error: unknown): Refusal | null {
  if (error instanceof RefusedError) return error.refusal
  if (!(error instanceof Error)) return null
  if (error instanceof StoreError) return refusalOfStore(error)
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

function refusalOfStore(error: StoreError): Refusal | null {
  if (error.code === 'CORRUPT') {
    return { status: 410, title: 'The upload is damaged and cannot go on', final: false }
  }
  const status = uploadErrorStatus(error)
  if (status === null || status === 500) return null
  return { status, title: STATUS_CODES[status] ?? 'Error', detail: error.message, final: false }
}
