import fc from 'fast-check'
import { formatContentRange, parseRange, type RangeSpec } from 'range-core'
import { describe, expect, it } from 'vitest'

const MAX = Number.MAX_SAFE_INTEGER

describe('parseRange: RFC 9110 §14.1.2, §14.2', () => {
  it('reads the example of its documentation', () => {
    expect(parseRange('bytes=0-499, -500')).toEqual([{ firstPos: 0, lastPos: 499 }, { suffixLength: 500 }])
  })

  it.each<[string, string, readonly RangeSpec[]]>([
    ['a range of two positions', 'bytes=0-499', [{ firstPos: 0, lastPos: 499 }]],
    ['a range of one byte', 'bytes=7-7', [{ firstPos: 7, lastPos: 7 }]],
    ['an open end', 'bytes=9500-', [{ firstPos: 9500, lastPos: null }]],
    ['a suffix', 'bytes=-500', [{ suffixLength: 500 }]],
    ['a suffix of zero bytes', 'bytes=-0', [{ suffixLength: 0 }]],
    ['leading zeros', 'bytes=007-0010', [{ firstPos: 7, lastPos: 10 }]],
    ['an upper-case unit (§14.1: case-insensitive)', 'BYTES=1-2', [{ firstPos: 1, lastPos: 2 }]],
    ['a unit of mixed case', 'bYtEs=1-2', [{ firstPos: 1, lastPos: 2 }]],
    [
      'spaces around elements',
      'bytes= 0-1 , 4-5 ',
      [
        { firstPos: 0, lastPos: 1 },
        { firstPos: 4, lastPos: 5 },
      ],
    ],
    ['tabs around elements', 'bytes=\t0-1\t,\t-2\t', [{ firstPos: 0, lastPos: 1 }, { suffixLength: 2 }]],
    [
      'empty list elements (§5.6.1.2)',
      'bytes=,0-1, ,,\t,4-,',
      [
        { firstPos: 0, lastPos: 1 },
        { firstPos: 4, lastPos: null },
      ],
    ],
    [
      'descending and repeated ranges, in their order',
      'bytes=9-9,0-0,9-9',
      [
        { firstPos: 9, lastPos: 9 },
        { firstPos: 0, lastPos: 0 },
        { firstPos: 9, lastPos: 9 },
      ],
    ],
  ])('reads %s', (_what, field, specs) => {
    expect(parseRange(field)).toEqual(specs)
  })

  it.each<[string, string, readonly RangeSpec[]]>([
    ['2^53 - 1', 'bytes=9007199254740991-', [{ firstPos: MAX, lastPos: null }]],
    ['2^53 - 2', 'bytes=0-9007199254740990', [{ firstPos: 0, lastPos: MAX - 1 }]],
    ['2^53', 'bytes=0-9007199254740992', [{ firstPos: 0, lastPos: MAX }]],
    ['2^53 + 1', 'bytes=9007199254740993-', [{ firstPos: MAX, lastPos: null }]],
    ['2^64', 'bytes=5-18446744073709551616', [{ firstPos: 5, lastPos: MAX }]],
    ['a suffix of 2^64', 'bytes=-18446744073709551616', [{ suffixLength: MAX }]],
    ['1,000 digits', `bytes=0-${'9'.repeat(1000)}`, [{ firstPos: 0, lastPos: MAX }]],
    [
      'two positions that are one number',
      'bytes=9007199254740992-9007199254740993',
      [{ firstPos: MAX, lastPos: MAX }],
    ],
    ['1,000 leading zeros', `bytes=${'0'.repeat(1000)}3-4`, [{ firstPos: 3, lastPos: 4 }]],
  ])('reads positions of any size: %s', (_what, field, specs) => {
    expect(parseRange(field)).toEqual(specs)
  })

  it.each([
    ['an unknown range unit', 'items=0-5'],
    ['a unit that only starts like bytes', 'bytesize=0-5'],
    ['no unit', '0-5'],
    ['no equals sign', 'bytes 0-5'],
    ['a space before the equals sign', 'bytes =0-5'],
    ['a space before the unit', ' bytes=0-5'],
    ['an empty field', ''],
    ['a unit alone', 'bytes'],
    ['an empty set', 'bytes='],
    ['a set of commas and spaces', 'bytes= , ,'],
    ['a hyphen alone', 'bytes=-'],
    ['one position without a hyphen', 'bytes=5'],
    ['reversed positions', 'bytes=5-4'],
    ['reversed positions that are one number', 'bytes=9007199254740993-9007199254740992'],
    ['reversed positions of different length', 'bytes=10-9'],
    ['reversed positions behind leading zeros', 'bytes=10-0009'],
    ['one reversed range among valid ones', 'bytes=0-1,5-4'],
    ['one malformed range among valid ones', 'bytes=0-1,x'],
    ['a sign', 'bytes=+1-2'],
    ['a negative end', 'bytes=1--2'],
    ['two hyphens', 'bytes=--5'],
    ['three positions', 'bytes=1-2-3'],
    ['a space inside a range', 'bytes=1 -2'],
    ['a decimal point', 'bytes=1.0-2'],
    ['an exponent', 'bytes=1e1-20'],
    ['hexadecimal digits', 'bytes=0x1-0x2'],
    ['Arabic digits', 'bytes=\u0661-\u0662'],
    ['a no-break space around a range', 'bytes=0-5,\u00a07-9'],
    ['a no-break space as the only element', 'bytes=0-5,\u00a0'],
    ['a form feed', 'bytes=0-5,\f7-9'],
    ['a line feed at the end', 'bytes=0-5\n'],
    ['a semicolon between ranges', 'bytes=0-1;4-5'],
    ['a second unit', 'bytes=0-1,bytes=4-5'],
    ['a long s in the unit', 'byte\u017f=0-5'],
  ])('ignores %s', (_what, field) => {
    expect(parseRange(field)).toBeNull()
  })

  it('reads back whatever range specs are written, with any spaces, tabs and empty elements (property)', () => {
    const position = fc.maxSafeNat()
    const spec: fc.Arbitrary<[string, RangeSpec]> = fc.oneof(
      fc.tuple(position, position).map(([a, b]): [string, RangeSpec] => {
        const [firstPos, lastPos] = [Math.min(a, b), Math.max(a, b)]
        return [`${firstPos}-${lastPos}`, { firstPos, lastPos }]
      }),
      position.map((firstPos): [string, RangeSpec] => [`${firstPos}-`, { firstPos, lastPos: null }]),
      position.map((suffixLength): [string, RangeSpec] => [`-${suffixLength}`, { suffixLength }]),
    )
    const blank = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 3 })
    const separator = fc
      .tuple(blank, fc.string({ unit: fc.constantFrom(',', ' ', '\t'), maxLength: 3 }))
      .map(([before, after]) => `${before},${after}`)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(spec, separator), { minLength: 1, maxLength: 20 }),
        blank,
        (rows, lead) => {
          const field = `bytes=${lead}${rows.map(([[text], between]) => text + between).join('')}`
          expect(parseRange(field)).toEqual(rows.map(([[, expected]]) => expected))
        },
      ),
    )
  })

  it('never throws, and finds at least one valid range or none (property)', () => {
    const noise = fc.string({ unit: fc.constantFrom('0', '1', '9', '-', ',', ' ', '\t', '=', 'x', '\u00a0') })
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          noise.map((text) => `bytes=${text}`),
        ),
        (field) => {
          const specs = parseRange(field)
          expect(specs?.length).not.toBe(0)
          expect((specs ?? []).every(isValid)).toBe(true)
        },
      ),
    )
  })
})

function isValid(spec: RangeSpec): boolean {
  if ('suffixLength' in spec) return Number.isSafeInteger(spec.suffixLength) && spec.suffixLength >= 0
  const { firstPos, lastPos } = spec
  return Number.isSafeInteger(firstPos) && firstPos >= 0 && (lastPos === null || lastPos >= firstPos)
}

describe('formatContentRange: RFC 9110 §14.4', () => {
  it('writes the example of its documentation', () => {
    expect(formatContentRange({ start: 0, end: 499 }, 1234)).toBe('bytes 0-499/1234')
  })

  it('writes an asterisk in place of the range of a 416', () => {
    expect(formatContentRange(null, 1234)).toBe('bytes */1234')
  })

  it('writes positions up to 2^53 - 1 in full', () => {
    expect(formatContentRange({ start: MAX - 1, end: MAX - 1 }, MAX)).toBe(
      'bytes 9007199254740990-9007199254740990/9007199254740991',
    )
  })
})

describe('parseRange: maxRanges', () => {
  it.each([
    ['bytes=0-0,2-2', 2, 2],
    ['bytes=,0-0,,2-2,', 2, 2],
    ['bytes=0-0,2-2,4-4', 2, null],
    ['bytes=0-0,2-2,junk', 2, null],
  ])('reads %s with %i as %j specs', (field, maxRanges, count) => {
    expect(parseRange(field, maxRanges)?.length ?? null).toBe(count)
  })
})
