import type { IncomingHttpHeaders } from 'node:http'
import { parse } from 'content-disposition'

/**
 * Returns the file name that a client sends beside raw content: in Content-Disposition, as the draft of resumable uploads
 * recommends, or in Upload-Metadata, as clients of tus do that also speak the draft. Returns an empty string if the request has no name.
 *
 * @see RFC 6266 §4.3
 */
export function uploadName(headers: IncomingHttpHeaders): string {
  return dispositionName(headers['content-disposition']) ?? metadataName(headers['upload-metadata']) ?? ''
}

function dispositionName(field: string | undefined): string | undefined {
  if (field === undefined) return undefined
  try {
    const { filename } = parse(decodeField(field)).parameters
    return typeof filename === 'string' ? filename : undefined
  } catch {
    // Malformed.
    return undefined
  }
}

/**
 * Node reads header fields as Latin-1, and curl and others send names as they are typed, in UTF-8. Latin-1 text is hardly ever
 * valid UTF-8.
 */
function decodeField(field: string): string {
  if (/^[\0-\x7f]*$/.test(field)) return field
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(field, 'latin1'))
  } catch {
    return field
  }
}

/** `filename <base64>, type <base64>` */
function metadataName(field: string | readonly string[] | undefined): string | undefined {
  const pairs = String(field ?? '').split(',')
  const [, encoded] = pairs.map((pair) => pair.trim().split(' ')).find(([key]) => key === 'filename') ?? []
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8')
}
