import type { IncomingHttpHeaders } from 'node:http'
import { parse } from 'content-disposition'

/**
 * The file name that a client tells beside raw content: in Content-Disposition, as the draft of resumable uploads recommends, or
 * in Upload-Metadata, as clients of tus do that speak both; empty when it tells none.
 *
 * @see RFC 6266 §4.3
 */
export function uploadName(headers: IncomingHttpHeaders): string {
  return dispositionName(headers['content-disposition']) ?? metadataName(headers['upload-metadata']) ?? ''
}

function dispositionName(field: string | undefined): string | undefined {
  if (field === undefined) return undefined
  try {
    const { filename } = parse(field).parameters
    return typeof filename === 'string' ? filename : undefined
  } catch {
    // Malformed: a name that nobody can read is none.
    return undefined
  }
}

/** `filename <base64>, type <base64>` */
function metadataName(field: string | readonly string[] | undefined): string | undefined {
  const pairs = String(field ?? '').split(',')
  const [, encoded] = pairs.map((pair) => pair.trim().split(' ')).find(([key]) => key === 'filename') ?? []
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8')
}
