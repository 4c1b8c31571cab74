import { gunzipSync } from 'node:zlib'
import { isMultipart, parseContentRange, parseMultipart } from './byteranges.ts'
import type { FileContent } from './fixtures.ts'
import { parseImfFixdate } from './placeholders.ts'
import { field, type Response } from './response.ts'
import { Violation } from './violation.ts'

const ENTITY_TAG = /^(?:W\/)?"[!\x23-\x7e\x80-\xff]*"$/

/**
 * What holds for every response, whatever its case is about: fields that are well-formed, and bytes that are the file's.
 *
 * @param file what the request names; `null` when it is no file of ours
 * @throws Violation
 */
export function checkResponse(response: Response, method: string, file: FileContent | null): void {
  if (response.end === 'short')
    throw new Violation(`the connection ended after ${response.content.length} bytes of content`)
  checkFields(response)
  if (file === null || (method !== 'GET' && method !== 'HEAD')) return
  if (response.status === 206) checkPartial(response, method, file)
  else if (response.status === 200) checkWhole(response, method, file)
  else if (response.status === 304) checkNotModified(response, file)
}

function checkFields(response: Response): void {
  for (const name of ['date', 'last-modified']) {
    const value = field(response, name)
    if (value !== undefined && parseImfFixdate(value) === null)
      throw new Violation(`${name} ${value} is no IMF-fixdate`)
  }
  const tag = field(response, 'etag')
  if (tag !== undefined && !ENTITY_TAG.test(tag)) throw new Violation(`ETag ${tag} is no entity-tag`)
  // Only 206 and 416 give the field a meaning (RFC 9110 §14.4).
  const contentRange = field(response, 'content-range')
  if (contentRange !== undefined && response.status < 400 && response.status !== 206)
    throw new Violation(`${response.status} with Content-Range ${contentRange}`)
}

/** Whether the content is the file in another coding, so that its bytes cannot be compared. */
function isCoded(response: Response): boolean {
  return (field(response, 'content-encoding') ?? 'identity') !== 'identity'
}

function checkPartial(response: Response, method: string, file: FileContent): void {
  if (method !== 'GET') throw new Violation(`206 to ${method}`)
  if (isCoded(response)) return
  if (!isMultipart(response)) {
    checkRange(field(response, 'content-range'), response, file)
    return
  }
  if (field(response, 'content-range') !== undefined)
    throw new Violation('Content-Range in the header section of a multipart response')
  for (const { first, size, bytes } of parseMultipart(response).parts) {
    if (size !== null && size !== file.size)
      throw new Violation(`part of ${size} bytes, the file has ${file.size}`)
    compare(bytes, file, first)
  }
}

function checkRange(contentRange: string | undefined, response: Response, file: FileContent): void {
  const range = parseContentRange(contentRange)
  if (range === null) throw new Violation(`206 with Content-Range ${contentRange}`)
  if (range.size !== null && range.size !== file.size)
    throw new Violation(`Content-Range ${contentRange}, the file has ${file.size} bytes`)
  const length = range.last - range.first + 1
  const declared = field(response, 'content-length') ?? String(length)
  if (declared !== String(length))
    throw new Violation(`Content-Length ${declared}, Content-Range ${contentRange}`)
  if (response.end === 'complete' && response.content.length !== length)
    throw new Violation(`${response.content.length} bytes, Content-Range ${contentRange}`)
  compare(response.content, file, range.first)
}

function checkWhole(response: Response, method: string, file: FileContent): void {
  if (!isCoded(response)) checkLength(response, file)
  if (method !== 'GET') return
  const content = isCoded(response) ? decode(response) : response.content
  if (response.end === 'complete' && content.length !== file.size)
    throw new Violation(`200 with ${content.length} bytes, the file has ${file.size}`)
  compare(content, file, 0)
}

function decode(response: Response): Buffer {
  const coding = field(response, 'content-encoding')
  if (coding !== 'gzip') throw new Violation(`Content-Encoding ${coding}, which was not accepted`)
  return gunzipSync(response.content)
}

function checkNotModified(response: Response, file: FileContent): void {
  if (!isCoded(response)) checkLength(response, file)
}

/** Of a 200, and of a 304 that has one (RFC 9110 §8.6). */
function checkLength(response: Response, file: FileContent): void {
  const length = field(response, 'content-length')
  if (length !== undefined && length !== String(file.size))
    throw new Violation(`${response.status} with Content-Length ${length}, the file has ${file.size} bytes`)
}

const COMPARED_AT_ONCE = 1024 * 1024

function compare(bytes: Buffer, file: FileContent, start: number): void {
  for (let at = 0; at < bytes.length; at += COMPARED_AT_ONCE) {
    const end = Math.min(at + COMPARED_AT_ONCE, bytes.length)
    if (!bytes.subarray(at, end).equals(file.slice(start + at, start + end)))
      throw new Violation(`bytes from ${start + at} on that are not the file's`)
  }
}
