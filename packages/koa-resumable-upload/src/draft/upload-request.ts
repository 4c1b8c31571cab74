import type { IncomingHttpHeaders } from 'node:http'
import type { DeclaredUpload } from '../core/options.ts'
import { booleanField, integerField } from '../http/structured-fields.ts'
import { type Interop, readInterop } from './interop.ts'

/** What a request says about an upload; `null` is what it does not say, or says in a way that is to be ignored. */
export interface UploadRequest {
  readonly interop: Interop
  /** Whether the upload is complete with this request's content. */
  readonly complete: boolean | null
  readonly offset: number | null
  /** Bytes of the whole upload. */
  readonly length: number | null
  /** Bytes of this request's content. */
  readonly contentLength: number | null
  /** The media type without its parameters, in lower case. */
  readonly type: string
}

/** @param headers names in lower case */
export function readUploadRequest(headers: IncomingHttpHeaders, contentLength: number | null): UploadRequest {
  const field = (name: string) => headers[name]?.toString()
  const interop = readInterop(field('upload-draft-interop-version'))
  const said = booleanField(field(interop.inverted ? 'upload-incomplete' : 'upload-complete'))
  const [type = ''] = (headers['content-type'] ?? '').split(';')
  return {
    interop,
    complete: said === null ? null : said !== interop.inverted,
    offset: integerField(field('upload-offset')),
    length: integerField(field('upload-length')),
    contentLength,
    type: type.trim().toLowerCase(),
  }
}

/** Returns what a request declares of a new upload for `resolveTarget`. */
export function declared({ length, complete, contentLength }: UploadRequest): DeclaredUpload {
  return { metadata: {}, length: length ?? (complete === true ? contentLength : null) }
}
