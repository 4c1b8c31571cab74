export interface Part {
  readonly contentRange: string
  readonly bytes: Buffer
}

const HEAD_END = '\r\n\r\n'

/** Returns the parts of a multipart/byteranges body, or `null` if the body is truncated or malformed. */
export function parseByteranges(contentType: string, body: Buffer): readonly Part[] | null {
  const boundary = /^multipart\/byteranges;\s*boundary="?([^"]+)"?$/i.exec(contentType)?.[1]
  if (boundary === undefined) return null
  const parts: Part[] = []
  let at = skip(body, 0, '\r\n') ?? 0
  for (;;) {
    const delimited = skip(body, at, `--${boundary}`)
    if (delimited === null) return null
    if (skip(body, delimited, '--') !== null) return parts
    const part = readPart(body, delimited)
    if (part === null) return null
    parts.push(part)
    // By its Content-Range, not up to the next boundary: the bytes of a file may look like one.
    at = skip(body, part.end, '\r\n') ?? body.length
  }
}

function readPart(body: Buffer, from: number): (Part & { readonly end: number }) | null {
  const start = body.indexOf(HEAD_END, from)
  const head = body.toString('latin1', from, Math.max(start, from))
  const [, contentRange, first, last] = /^content-range:\s*(bytes (\d+)-(\d+)\/\d+)\s*$/im.exec(head) ?? []
  if (start === -1 || contentRange === undefined) return null
  const begin = start + HEAD_END.length
  const end = begin + Number(last) - Number(first) + 1
  return { contentRange, bytes: body.subarray(begin, end), end }
}

/** The position after `text`, or `null` when something else stands there. */
function skip(body: Buffer, at: number, text: string): number | null {
  const end = at + text.length
  return body.toString('latin1', at, end) === text ? end : null
}
