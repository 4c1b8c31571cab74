import { type ByteRange, drawApart, drawRanges, shuffledBlocks } from './files/byte-range.ts'
import { CLIP, FILM, ISLAND, KIBIBYTE, MEBIBYTE, type MediaFile, SPARSE, TEBIBYTE } from './files/media.ts'

/** What is asked for, and what has to come back. */
export type Wanted =
  | { readonly answer: 'range'; readonly range: ByteRange }
  | { readonly answer: 'ranges'; readonly ranges: readonly ByteRange[] }
  | { readonly answer: 'whole' }
  | { readonly answer: 'head' }
  | { readonly answer: 'not modified'; readonly etag: string }

export interface Kind {
  readonly name: string
  readonly file: MediaFile
  /** Bytes of file in an answer. */
  readonly length: number
  readonly connections: number
  /** `null` where it takes the server's own entity-tag: those are not known before. */
  readonly wanted: readonly Wanted[] | null
  /** How many answers are compared with the file right before a cell is measured. */
  readonly checked: number
  /**
   * wrk takes the body of a HEAD's answer to be on its way and waits for it; and it stops after a time, when the blocks
   * that are not in the page cache yet have a number.
   */
  readonly client: 'wrk' | 'node'
}

const RANGES = 4096
const CHECKED = 32

function rangeKind(name: string, length: number, connections: number): Kind {
  const wanted = drawRanges(RANGES, length, 0, FILM.size).map(wantRange)
  return { name, file: FILM, length, connections, wanted, checked: CHECKED, client: 'wrk' }
}

function sparseKind(name: string, from: number): Kind {
  const length = 64 * KIBIBYTE
  const wanted = drawRanges(RANGES, length, from, from + ISLAND).map(wantRange)
  return { name, file: SPARSE, length, connections: 32, wanted, checked: CHECKED, client: 'wrk' }
}

function wantRange(range: ByteRange): Wanted {
  return { answer: 'range', range }
}

export const SMALL: Kind = rangeKind('4 KiB', 4 * KIBIBYTE, 32)
export const MIDDLE: Kind = rangeKind('64 KiB', 64 * KIBIBYTE, 32)
/** For one fast reader. */
export const FAST: Kind = { ...MIDDLE, connections: 1, checked: 1 }
export const LARGE: Kind = rangeKind('1 MiB', MEBIBYTE, 16)

export const WHOLE: Kind = {
  name: '64 MiB file',
  file: CLIP,
  length: CLIP.size,
  connections: 4,
  wanted: [{ answer: 'whole' }],
  checked: 1,
  client: 'wrk',
}

export const NOT_MODIFIED: Kind = {
  name: '304',
  file: FILM,
  length: 0,
  connections: 32,
  wanted: null,
  checked: CHECKED,
  client: 'wrk',
}

export const HEAD: Kind = {
  name: 'HEAD',
  file: FILM,
  length: 0,
  connections: 32,
  wanted: [{ answer: 'head' }],
  checked: CHECKED,
  client: 'node',
}

export const SEVERAL: Kind = {
  name: '10 ranges of 4 KiB',
  file: FILM,
  length: 10 * 4 * KIBIBYTE,
  connections: 32,
  wanted: Array.from({ length: RANGES / 8 }, () => ({
    answer: 'ranges' as const,
    ranges: drawApart(10, 4 * KIBIBYTE, FILM.size),
  })),
  checked: CHECKED,
  client: 'wrk',
}

export const COLD: Kind = {
  name: '64 KiB, cold',
  file: FILM,
  length: 64 * KIBIBYTE,
  connections: 32,
  wanted: shuffledBlocks(64 * KIBIBYTE, FILM.size).map(wantRange),
  checked: CHECKED,
  client: 'node',
}

export const NEAR: Kind = sparseKind('64 KiB at offset 0', 0)
export const FAR: Kind = sparseKind('64 KiB at offset 1 TiB', TEBIBYTE)

/** In the order of the tables. */
export const KINDS: readonly Kind[] = [
  SMALL,
  MIDDLE,
  LARGE,
  WHOLE,
  NOT_MODIFIED,
  HEAD,
  SEVERAL,
  COLD,
  NEAR,
  FAR,
]

/** The header field of a request, empty for none. */
export function fieldOf(wanted: Wanted): string {
  switch (wanted.answer) {
    case 'range':
      return rangeField([wanted.range])
    case 'ranges':
      return rangeField(wanted.ranges)
    case 'not modified':
      return `If-None-Match: ${wanted.etag}`
    default:
      return ''
  }
}

function rangeField(ranges: readonly ByteRange[]): string {
  return `Range: bytes=${ranges.map(({ start, end }) => `${start}-${end}`).join(',')}`
}
