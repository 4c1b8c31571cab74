import { STATUS_CODES } from 'node:http'
import { StoreError, uploadErrorStatus } from 'upload-store'
import { damagedUpload, type Refusal, RefusedError } from '../errors.ts'

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
  if (error.code === 'CORRUPT') return damagedUpload()
  const status = uploadErrorStatus(error)
  if (status === null || status === 500) return null
  return { status, title: STATUS_CODES[status] ?? 'Error', detail: error.message, final: false }
}
