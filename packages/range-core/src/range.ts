import { trimWhitespace } from './field-values.ts'

/** One range as the client wrote it, before the complete length is known. */
export type RangeSpec =
  | {
      /** Offset of the first byte, from 0. */
      readonly firstPos: number
      /** Offset of the last byte, inclusive; `null`: to the end. */
      readonly lastPos: number | null
    }
  | {
      /** How many of the last bytes; 0 is valid and never satisfiable. */
      readonly suffixLength: number
    }

/** A range within known content. */
export interface ByteRange {
  /** Offset of the first byte, from 0. */
  readonly start: number
  /** Offset of the last byte, inclusive. */
  readonly end: number
}

const RANGE_SPEC = /^(?:(\d+)-(\d*)|-(\d+))$/

/**
 * Reads the value of a Range field.
 *
 * Positions above `Number.MAX_SAFE_INTEGER` are returned as that number, which is past the end of any content.
 *
 * @param maxRanges the most range specs to read (no limit); reading stops at the first one more
 * @returns the range specs in their order, or `null` when the field is to be ignored: a unit other than `bytes`, no
 * valid set of ranges, or too many
 * @see RFC 9110 §14.1.1, §14.1.2, §14.2
 * @example
 * parseRange('bytes=0-499, -500') // [{ firstPos: 0, lastPos: 499 }, { suffixLength: 500 }]
 */
export function parseRange(
  field: string,
  maxRanges: number = Number.POSITIVE_INFINITY,
): readonly RangeSpec[] | null {
  if (field.slice(0, 6).toLowerCase() !== 'bytes=') return null
  const specs: RangeSpec[] = []
  for (let at = 6, comma = 0; at <= field.length; at = comma + 1) {
    comma = field.indexOf(',', at)
    if (comma === -1) comma = field.length
    const text = trimWhitespace(field.slice(at, comma))
    // Empty list elements are legal: RFC 9110 §5.6.1.2.
    if (text === '') continue
    const spec = parseRangeSpec(text)
    if (spec === null || specs.length >= maxRanges) return null
    specs.push(spec)
  }
  return specs.length === 0 ? null : specs
}

function parseRangeSpec(text: string): RangeSpec | null {
  const [, first, last, suffix] = RANGE_SPEC.exec(text) ?? []
  if (suffix !== undefined) return { suffixLength: toPosition(suffix) }
  if (first === undefined) return null
  if (!last) return { firstPos: toPosition(first), lastPos: null }
  return isBelow(last, first) ? null : { firstPos: toPosition(first), lastPos: toPosition(last) }
}

/** Compares as text: two positions above 2^53 may be the same number and yet one below the other. */
function isBelow(a: string, b: string): boolean {
  const [x, y] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')]
  return x.length === y.length ? x < y : x.length < y.length
}

function toPosition(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER)
}

/**
 * Resolves range specs against content of `size` bytes. Cuts ends past the last byte and omits unsatisfiable specs.
 *
 * @param size the complete length in bytes
 * @returns the satisfiable ranges in the order of the specs; empty if no spec is satisfiable (416)
 * @see RFC 9110 §14.1.2
 * @example
 * resolveRanges([{ firstPos: 90, lastPos: 200 }, { suffixLength: 0 }], 100) // [{ start: 90, end: 99 }]
 */
export function resolveRanges(specs: readonly RangeSpec[], size: number): readonly ByteRange[] {
  const ranges: ByteRange[] = []
  for (const spec of specs) {
    const suffix = 'suffixLength' in spec
    const start = suffix ? Math.max(size - spec.suffixLength, 0) : spec.firstPos
    const end = suffix ? size - 1 : Math.min(spec.lastPos ?? size - 1, size - 1)
    if (start <= end) ranges.push({ start, end })
  }
  return ranges
}

/**
 * Merges ranges that overlap or touch, each result standing where the first of its ranges stood.
 *
 * @see RFC 9110 §15.3.7.2
 * @example
 * coalesceRanges([{ start: 50, end: 59 }, { start: 0, end: 4 }, { start: 5, end: 9 }]) // [50–59, 0–9]
 */
export function coalesceRanges(ranges: readonly ByteRange[]): readonly ByteRange[] {
  if (ranges.length < 2) return ranges
  const merged: { start: number; end: number; position: number }[] = []
  const byStart = ranges.map((range, position) => ({ ...range, position })).sort((a, b) => a.start - b.start)
  for (const range of byStart) {
    const last = merged.at(-1)
    if (last !== undefined && range.start <= last.end + 1) {
      last.end = Math.max(last.end, range.end)
      last.position = Math.min(last.position, range.position)
    } else {
      merged.push(range)
    }
  }
  return merged.sort((a, b) => a.position - b.position).map(({ start, end }) => ({ start, end }))
}

/**
 * Writes the value of Content-Range.
 *
 * @param range `null` for the form of a 416, with an asterisk for the range
 * @param size the complete length in bytes
 * @see RFC 9110 §14.4
 * @example
 * formatContentRange({ start: 0, end: 499 }, 1234) // 'bytes 0-499/1234'
 */
export function formatContentRange(range: ByteRange | null, size: number): string {
  return range === null ? `bytes */${size}` : `bytes ${range.start}-${range.end}/${size}`
}
