import fc from 'fast-check'
import { type ByteRange, coalesceRanges, type RangeSpec, resolveRanges } from 'range-core'
import { describe, expect, it } from 'vitest'

const position = fc.nat(60)
const specs: fc.Arbitrary<readonly RangeSpec[]> = fc.array(
  fc.oneof(
    fc.tuple(position, position).map(([a, b]) => ({ firstPos: Math.min(a, b), lastPos: Math.max(a, b) })),
    position.map((firstPos) => ({ firstPos, lastPos: null })),
    position.map((suffixLength) => ({ suffixLength })),
  ),
  { maxLength: 8 },
)
const byteRanges = fc.array(
  fc.tuple(position, fc.nat(12)).map(([start, more]) => ({ start, end: start + more })),
  { maxLength: 12 },
)

/** The slow way: ask each byte of the content whether the spec selects it. */
function selectedBytes(spec: RangeSpec, size: number): number[] {
  return Array.from({ length: size }, (_, at) => at).filter((at) =>
    'suffixLength' in spec
      ? at >= size - spec.suffixLength
      : at >= spec.firstPos && (spec.lastPos === null || at <= spec.lastPos),
  )
}

function bytesOf({ start, end }: ByteRange): number[] {
  return Array.from({ length: end - start + 1 }, (_, index) => start + index)
}

function byteSet(ranges: readonly ByteRange[]): number[] {
  return [...new Set(ranges.flatMap(bytesOf))].sort((a, b) => a - b)
}

const words = (text: string) => text.split(' ').filter((word) => word !== '')

function read(text: string): ByteRange[] {
  return words(text).map((word) => {
    const [start = 0, end = 0] = word.split('-').map(Number)
    return { start, end }
  })
}

describe('resolveRanges: RFC 9110 §14.1.2', () => {
  it('resolves the example of its documentation', () => {
    const resolved = resolveRanges([{ firstPos: 90, lastPos: 200 }, { suffixLength: 0 }], 100)
    expect(resolved).toEqual([{ start: 90, end: 99 }])
  })

  it.each<[string, RangeSpec, number, readonly ByteRange[]]>([
    ['keeps a range within the content', { firstPos: 2, lastPos: 5 }, 10, [{ start: 2, end: 5 }]],
    ['keeps the last byte', { firstPos: 9, lastPos: 9 }, 10, [{ start: 9, end: 9 }]],
    ['runs an open end to the last byte', { firstPos: 4, lastPos: null }, 10, [{ start: 4, end: 9 }]],
    ['cuts an end at the complete length', { firstPos: 4, lastPos: 10 }, 10, [{ start: 4, end: 9 }]],
    ['takes a suffix from the end', { suffixLength: 3 }, 10, [{ start: 7, end: 9 }]],
    ['takes all for a suffix as long as the content', { suffixLength: 10 }, 10, [{ start: 0, end: 9 }]],
    ['takes all for a longer suffix', { suffixLength: Number.MAX_SAFE_INTEGER }, 10, [{ start: 0, end: 9 }]],
    ['drops a start at the complete length', { firstPos: 10, lastPos: null }, 10, []],
    ['drops a start behind the complete length', { firstPos: 11, lastPos: 20 }, 10, []],
    ['drops a suffix of zero bytes', { suffixLength: 0 }, 10, []],
    ['drops a range of empty content', { firstPos: 0, lastPos: null }, 0, []],
    ['drops a suffix of empty content', { suffixLength: 5 }, 0, []],
  ])('%s', (_what, spec, size, ranges) => {
    expect(resolveRanges([spec], size)).toEqual(ranges)
  })

  it('keeps the order and the repetitions of the specs', () => {
    const repeated = [{ suffixLength: 1 }, { firstPos: 0, lastPos: 0 }, { suffixLength: 1 }]
    const last = { start: 9, end: 9 }
    expect(resolveRanges(repeated, 10)).toEqual([last, { start: 0, end: 0 }, last])
  })

  it('selects of each spec just the bytes that a byte-by-byte reading selects (property)', () => {
    fc.assert(
      fc.property(specs, fc.nat(50), (list, size) => {
        const expected = list.map((spec) => selectedBytes(spec, size)).filter((bytes) => bytes.length > 0)
        expect(resolveRanges(list, size).map(bytesOf)).toEqual(expected)
      }),
    )
  })
})

describe('coalesceRanges: RFC 9110 §15.3.7.2', () => {
  it('merges the example of its documentation', () => {
    const ranges = [
      { start: 50, end: 59 },
      { start: 0, end: 4 },
      { start: 5, end: 9 },
    ]
    expect(coalesceRanges(ranges)).toEqual([
      { start: 50, end: 59 },
      { start: 0, end: 9 },
    ])
  })

  it.each([
    ['nothing of nothing', '', ''],
    ['one range as it is', '3-4', '3-4'],
    ['ranges one byte apart as they are', '0-4 6-9', '0-4 6-9'],
    ['touching ranges as one', '0-4 5-9', '0-9'],
    ['touching ranges in descending order as one', '5-9 0-4', '0-9'],
    ['overlapping ranges as one', '0-5 3-9', '0-9'],
    ['a range inside another as the outer one', '0-9 3-4', '0-9'],
    ['equal ranges once', '3-4 3-4 3-4', '3-4'],
    ['a chain through a later range as one', '0-2 6-8 3-5', '0-8'],
    ['descending ranges in their order', '20-29 10-12 0-2', '20-29 10-12 0-2'],
    ['a merged range where its first one stood', '8-9 20-21 0-7 40-41', '0-9 20-21 40-41'],
    ['a long range over short ones with its full end', '1-2 0-50 4-5 52-53', '0-50 52-53'],
  ])('gives %s', (_what, ranges, merged) => {
    expect(coalesceRanges(read(ranges)).map(({ start, end }) => `${start}-${end}`)).toEqual(words(merged))
  })

  it('covers the same bytes, each once, without two ranges that overlap or touch (property)', () => {
    fc.assert(
      fc.property(byteRanges, (ranges) => {
        const merged = coalesceRanges(ranges)
        expect(byteSet(merged)).toEqual(byteSet(ranges))
        const sorted = [...merged].sort((a, b) => a.start - b.start)
        const gaps = sorted.slice(1).map(({ start }, index) => start - (sorted[index]?.end ?? start))
        expect(gaps.every((gap) => gap > 1)).toBe(true)
      }),
    )
  })

  it('orders its results by the first range that each of them contains (property)', () => {
    fc.assert(
      fc.property(byteRanges, (ranges) => {
        const merged = coalesceRanges(ranges)
        const firsts = merged.map(({ start, end }) =>
          ranges.findIndex((r) => r.start >= start && r.end <= end),
        )
        expect(firsts).toEqual([...firsts].sort((a, b) => a - b))
      }),
    )
  })

  it('changes nothing the second time, nor what it was given (property)', () => {
    fc.assert(
      fc.property(byteRanges, (ranges) => {
        const before = structuredClone(ranges)
        const merged = coalesceRanges(ranges)
        expect(coalesceRanges(merged)).toEqual(merged)
        expect(ranges).toEqual(before)
      }),
    )
  })
})
