/** Bytes of a request; text is Latin-1 unless it went through `utf8`. */
type Bytes = string | Buffer

/** Text of any script in the one-byte characters that go onto the wire. */
export function utf8(text: string): string {
  return Buffer.from(text).toString('latin1')
}

export function bytesOf(...pieces: readonly Bytes[]): Buffer {
  return Buffer.concat(
    pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)),
  )
}

/**
 * One request.
 *
 * @param lines header lines after Host
 */
export function request(start: string, lines: readonly string[] = [], body: Bytes = ''): Buffer {
  const head = [`${start} HTTP/1.1`, 'Host: 127.0.0.1', ...lines, '', ''].join('\r\n')
  return bytesOf(head, body)
}

export interface FormOptions {
  /** The whole field, `multipart/form-data; boundary=b`; `null` sends none. */
  readonly type?: string | null
  /** More header lines. */
  readonly lines?: readonly string[]
  /** Of the body; `chunked` sends it in chunks of 1,000 bytes, `null` tells no length. */
  readonly length?: number | 'chunked' | null
}

/** `POST /video` with `body` as the form. */
export function post(body: Bytes, options: FormOptions = {}): Buffer {
  const { type = 'multipart/form-data; boundary=b', lines = [], length } = options
  const bytes = bytesOf(body)
  const framing =
    length === 'chunked'
      ? ['Transfer-Encoding: chunked']
      : length === null
        ? []
        : [`Content-Length: ${length ?? bytes.length}`]
  const all = [...(type === null ? [] : [`Content-Type: ${type}`]), ...framing, ...lines]
  return request('POST /video', all, length === 'chunked' ? chunked(bytes, 1000) : bytes)
}

/** `PUT /videos/KEY`, where `key` is as it goes into the path. */
export function put(key: string, body: Bytes = 'content', lines: readonly string[] = []): Buffer {
  const bytes = bytesOf(body)
  return request(`PUT /videos/${key}`, [`Content-Length: ${bytes.length}`, ...lines], bytes)
}

/** The head of a PUT whose framing the case writes itself. */
export function putHead(key: string, ...lines: readonly string[]): string {
  return request(`PUT /videos/${key}`, lines).toString('latin1')
}

/** A form of these parts, closed. */
export function form(...parts: readonly Bytes[]): Buffer {
  return bytesOf(...parts, '--b--\r\n')
}

/**
 * One part of a form.
 *
 * @param disposition after `form-data; `
 */
export function part(disposition: string, content: Bytes = 'x', ...lines: readonly string[]): Buffer {
  const head = [`Content-Disposition: form-data; ${disposition}`, ...lines, '', ''].join('\r\n')
  return bytesOf(`--b\r\n${head}`, content, '\r\n')
}

/** The part that the server wants. */
export function file(content: Bytes = 'content', name = 'a.mp4', ...lines: readonly string[]): Buffer {
  return part(`name="file"; filename="${name}"`, content, ...lines)
}

/** In chunks of `size` bytes, with the last one. */
export function chunked(body: Bytes, size: number): Buffer {
  const bytes = bytesOf(body)
  const pieces: Bytes[] = []
  for (let at = 0; at < bytes.length; at += size) {
    const chunk = bytes.subarray(at, at + size)
    pieces.push(`${chunk.length.toString(16)}\r\n`, chunk, '\r\n')
  }
  return bytesOf(...pieces, '0\r\n\r\n')
}
