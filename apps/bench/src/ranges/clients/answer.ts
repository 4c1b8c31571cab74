import { type ByteRange, lengthOf } from '../files/byte-range.ts'
import type { MediaFile, ReadBytes } from '../files/media.ts'
import type { Wanted } from '../kinds.ts'
import { parseByteranges } from './byteranges.ts'

export interface Answer {
  readonly status: number
  /** By their names in lower case. */
  readonly fields: Readonly<Record<string, string | undefined>>
  /** Cut off where it is longer than any right answer. */
  readonly body: Buffer
}

/** What is wrong with an answer, in a few words; `null` when nothing is. */
export function faultOf(answer: Answer, wanted: Wanted, file: MediaFile, read: ReadBytes): string | null {
  switch (wanted.answer) {
    case 'range':
      return rangeFault(answer, wanted.range, file, read)
    case 'ranges':
      return rangesFault(answer, wanted.ranges, file, read)
    case 'whole':
      return statusFault(answer, 200) ?? bytesFault(answer, read(file, { start: 0, end: file.size - 1 }))
    case 'head':
      return statusFault(answer, 200) ?? lengthFault(answer, file.size)
    case 'not modified':
      return statusFault(answer, 304) ?? (answer.body.length === 0 ? null : 'a 304 with a body')
  }
}

/** Returns the fault of an answer of a server that always sends one byte, or `null`. */
export function byteFault(answer: Answer): string | null {
  return statusFault(answer, 200) ?? (answer.body.length === 1 ? null : `${answer.body.length} bytes`)
}

function rangeFault(answer: Answer, range: ByteRange, file: MediaFile, read: ReadBytes): string | null {
  const contentRange = contentRangeOf(range, file)
  const actual = answer.fields['content-range']
  if (answer.status === 206 && actual !== contentRange) return `206 with Content-Range: ${actual ?? 'none'}`
  return statusFault(answer, 206) ?? bytesFault(answer, read(file, range))
}

function bytesFault(answer: Answer, expected: Buffer): string | null {
  if (answer.body.equals(expected)) return lengthFault(answer, expected.length)
  return `${answer.status} with ${answer.body.length} bytes that are not the file's`
}

function rangesFault(
  answer: Answer,
  ranges: readonly ByteRange[],
  file: MediaFile,
  read: ReadBytes,
): string | null {
  if (answer.status !== 206) return statusFault(answer, 206)
  const type = answer.fields['content-type'] ?? 'none'
  const parts = parseByteranges(type, answer.body)
  if (parts === null) return `206 with Content-Type: ${type.split(';')[0]}`
  const isRight = ranges.every((range, at) => {
    const part = parts[at]
    return part?.contentRange === contentRangeOf(range, file) && part.bytes.equals(read(file, range))
  })
  return isRight && parts.length === ranges.length ? null : '206 with other parts than those asked for'
}

function contentRangeOf(range: ByteRange, { size }: MediaFile): string {
  return `bytes ${range.start}-${range.end}/${size}`
}

function statusFault({ status }: Answer, expected: number): string | null {
  return status === expected ? null : String(status)
}

/** Chunked is allowed. */
function lengthFault({ status, fields }: Answer, expected: number): string | null {
  const { 'content-length': length = String(expected) } = fields
  return length === String(expected) ? null : `${status} with Content-Length: ${length}`
}

/** The most bytes that a right answer has in its body: what comes after them need not be read. */
export function longestBody(wanted: Wanted, file: MediaFile): number {
  switch (wanted.answer) {
    case 'range':
      return lengthOf(wanted.range)
    case 'ranges':
      return wanted.ranges.reduce((sum, range) => sum + lengthOf(range) + HEAD_OF_PART, HEAD_OF_PART)
    case 'whole':
      return file.size
    default:
      return 0
  }
}

const HEAD_OF_PART = 1024
