import { randomBytes } from 'node:crypto'
import type { Fields, Request } from './exchange.ts'

/** The interop version that a request speaks unless it says otherwise: that of draft -12. `null` is the RFC's form. */
export const NEWEST = 9

export const PARTIAL_UPLOAD = 'application/partial-upload'

type RequestFields = NonNullable<Request['fields']>

export interface Saying {
  /** POST; for creation only. */
  readonly method?: string
  readonly version?: number | null
  /** Upload-Complete (not sent where `undefined`). */
  readonly complete?: boolean | undefined
  /** Upload-Length. */
  readonly length?: number
  readonly body?: Uint8Array
  readonly announced?: number | null
  /** Besides, or instead of, what the others say. */
  readonly fields?: RequestFields
}

export function versionField(version: number | null): RequestFields {
  return version === null ? {} : { 'Upload-Draft-Interop-Version': String(version) }
}

/** Version 3 says it the other way round, in a field of its own. */
export function completeField(version: number | null, complete: boolean | undefined): RequestFields {
  if (complete === undefined) return {}
  const name = version === 3 ? 'Upload-Incomplete' : 'Upload-Complete'
  return { [name]: complete !== (version === 3) ? '?1' : '?0' }
}

/** What a response says about completeness; `undefined`: nothing. */
export function saysComplete(version: number | null, fields: Fields): boolean | undefined {
  const text = version === 3 ? fields['upload-incomplete'] : fields['upload-complete']
  if (text !== '?0' && text !== '?1') return undefined
  return (text === '?1') !== (version === 3)
}

function common({ version = NEWEST, complete, length, body, announced, fields }: Saying) {
  return {
    fields: {
      ...versionField(version),
      ...completeField(version, complete),
      ...(length === undefined ? {} : { 'Upload-Length': String(length) }),
      ...fields,
    },
    ...(body === undefined ? {} : { body }),
    ...(announced === undefined ? {} : { announced }),
  }
}

export function creation(key: string, saying: Saying): Request {
  return { method: saying.method ?? 'POST', path: `/videos/${key}`, ...common(saying) }
}

export interface Appending extends Saying {
  /** Upload-Offset (not sent where `undefined`). */
  readonly offset?: number | undefined
}

export function append(path: string, { offset, fields, ...saying }: Appending): Request {
  const { version = NEWEST } = saying
  return {
    method: 'PATCH',
    path,
    ...common({
      ...saying,
      fields: {
        ...(version === null || version >= 6 ? { 'Content-Type': PARTIAL_UPLOAD } : {}),
        ...(offset === undefined ? {} : { 'Upload-Offset': String(offset) }),
        ...fields,
      },
    }),
  }
}

export function retrieval(path: string, version: number | null = NEWEST, method = 'HEAD'): Request {
  return { method, path, fields: versionField(version) }
}

export function cancellation(path: string, version: number | null = NEWEST): Request {
  return { method: 'DELETE', path, fields: versionField(version) }
}

/** So many bytes that nothing else has. */
export function content(size: number): Buffer {
  return randomBytes(size)
}

export const NOTHING = new Uint8Array()
