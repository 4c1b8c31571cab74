import fc from 'fast-check'
import { type EntityTag, parseEntityTag, parseEntityTags, strongMatch, weakMatch } from 'range-core'
import { describe, expect, it } from 'vitest'

const strong = (opaqueTag: string): EntityTag => ({ weak: false, opaqueTag })
const weak = (opaqueTag: string): EntityTag => ({ weak: true, opaqueTag })

describe('parseEntityTags: RFC 9110 §13.1.1, §8.8.3', () => {
  it('reads the example of its documentation', () => {
    expect(parseEntityTags('"a", W/"b,c"')).toEqual([strong('"a"'), weak('"b,c"')])
  })

  it.each<[string, string, readonly EntityTag[] | '*']>([
    ['one tag', '"a"', [strong('"a"')]],
    ['a weak tag', 'W/"a"', [weak('"a"')]],
    ['an empty opaque-tag', '""', [strong('""')]],
    ['tags without spaces between', '"a","b"', [strong('"a"'), strong('"b"')]],
    ['tabs and spaces around commas', '\t"a" \t,\t "b" ', [strong('"a"'), strong('"b"')]],
    ['empty list elements (§5.6.1.2)', ',, "a" , ,"b",', [strong('"a"'), strong('"b"')]],
    ['commas inside tags', '",",W/"a,b,"', [strong('","'), weak('"a,b,"')]],
    ['an asterisk alone', '*', '*'],
    ['an asterisk between spaces and tabs', ' \t* ', '*'],
    ['a quoted asterisk as a tag', '"*"', [strong('"*"')]],
    ['obs-text', '"\u00e9\u0080\u00ff"', [strong('"\u00e9\u0080\u00ff"')]],
    ['the ends of etagc', '"!#~"', [strong('"!#~"')]],
    ['backslashes as they are', '"a\\"', [strong('"a\\"')]],
    ['W/ inside a tag', '"W/"', [strong('"W/"')]],
    ['the same tag twice', '"a","a"', [strong('"a"'), strong('"a"')]],
  ])('reads %s', (_what, field, tags) => {
    expect(parseEntityTags(field)).toEqual(tags)
  })

  it.each([
    ['an empty field', ''],
    ['spaces', '  '],
    ['commas', ', ,'],
    ['a token without quotes', 'a'],
    ['an open quote', '"a'],
    ['a quote alone', '"'],
    ['a lower-case w/', 'w/"a"'],
    ['a W without slash', 'W"a"'],
    ['a space behind W/', 'W/ "a"'],
    ['W/ twice', 'W/W/"a"'],
    ['a missing comma', '"a" "b"'],
    ['a missing comma without a space', '"a""b"'],
    ['garbage behind a tag', '"a"x'],
    ['garbage behind a list', '"a", b'],
    ['a space inside a tag', '"a b"'],
    ['a tab inside a tag', '"a\tb"'],
    ['a DEL inside a tag', '"\x7f"'],
    ['a character above U+00FF', '"\u0100"'],
    ['an asterisk in a list', '*, "a"'],
    ['a tag before an asterisk', '"a", *'],
    ['two asterisks', '**'],
    ['single quotes', "'a'"],
    ['a no-break space between tags', '"a",\u00a0"b"'],
  ])('takes %s for no list at all', (_what, field) => {
    expect(parseEntityTags(field)).toBeNull()
  })

  it('reads back whatever tags are written, with any spaces, tabs and empty elements (property)', () => {
    const separator = fc
      .string({ unit: fc.constantFrom(' ', '\t', ','), maxLength: 4 })
      .map((text) => `${text},`)
    fc.assert(
      fc.property(fc.array(fc.tuple(entityTag, separator), { minLength: 1, maxLength: 10 }), (rows) => {
        const field = rows.map(([tag, between]) => write(tag) + between).join('')
        expect(parseEntityTags(field)).toEqual(rows.map(([tag]) => tag))
      }),
    )
  })

  it('never throws, and gives an asterisk, at least one tag, or null (property)', () => {
    const noise = fc.string({ unit: fc.constantFrom('"', 'W', '/', ',', ' ', '\t', 'a', '*', '\u00a0') })
    fc.assert(
      fc.property(fc.oneof(noise, fc.string({ unit: 'binary' })), (field) => {
        expect(parseEntityTags(field)?.length).not.toBe(0)
      }),
    )
  })
})

const etagc = fc.oneof(
  fc.integer({ min: 0x23, max: 0x7e }),
  fc.integer({ min: 0x80, max: 0xff }),
  fc.constant(0x21),
)
const entityTag = fc
  .tuple(fc.boolean(), fc.array(etagc, { maxLength: 8 }))
  .map(([isWeak, codes]): EntityTag => ({ weak: isWeak, opaqueTag: `"${String.fromCharCode(...codes)}"` }))

function write({ weak: isWeak, opaqueTag }: EntityTag): string {
  return (isWeak ? 'W/' : '') + opaqueTag
}

describe('parseEntityTag: RFC 9110 §8.8.3', () => {
  it('reads the example of its documentation', () => {
    expect(parseEntityTag('W/"abc"')).toEqual({ weak: true, opaqueTag: '"abc"' })
  })

  it('reads a strong tag with a comma', () => {
    expect(parseEntityTag('"a,b"')).toEqual(strong('"a,b"'))
  })

  it.each([
    ['a list', '"a", "b"'],
    ['a trailing comma', '"a",'],
    ['a trailing space', '"a" '],
    ['a leading space', ' "a"'],
    ['an asterisk', '*'],
    ['an unquoted value', 'abc'],
    ['a lower-case w/', 'w/"abc"'],
    ['an empty value', ''],
    ['an open quote', '"abc'],
    ['a date', 'Sun, 06 Nov 1994 08:49:37 GMT'],
  ])('takes %s for no tag', (_what, field) => {
    expect(parseEntityTag(field)).toBeNull()
  })

  it('gives the same answer to the same value each time', () => {
    const tags = ['"abc"', 'x', '"abc"', '"a', '"abc"'].map(parseEntityTag)
    expect(tags).toEqual([strong('"abc"'), null, strong('"abc"'), null, strong('"abc"')])
  })

  it('reads back any tag (property)', () => {
    fc.assert(
      fc.property(entityTag, (tag) => {
        expect(parseEntityTag(write(tag))).toEqual(tag)
      }),
    )
  })
})

describe('strongMatch and weakMatch: RFC 9110 §8.8.3.2', () => {
  it('compare the examples of their documentation', () => {
    expect(strongMatch({ weak: true, opaqueTag: '"a"' }, { weak: true, opaqueTag: '"a"' })).toBe(false)
    expect(weakMatch({ weak: true, opaqueTag: '"a"' }, { weak: false, opaqueTag: '"a"' })).toBe(true)
  })

  it.each([
    { a: 'W/"1"', b: 'W/"1"', strongly: false, weakly: true },
    { a: 'W/"1"', b: 'W/"2"', strongly: false, weakly: false },
    { a: 'W/"1"', b: '"1"', strongly: false, weakly: true },
    { a: '"1"', b: 'W/"1"', strongly: false, weakly: true },
    { a: '"1"', b: '"1"', strongly: true, weakly: true },
    { a: '"1"', b: '"2"', strongly: false, weakly: false },
    { a: '"a"', b: '"A"', strongly: false, weakly: false },
  ])('compare $a with $b as the table of the RFC has it', ({ a, b, strongly, weakly }) => {
    const [x, y] = [parseEntityTag(a) ?? weak('x'), parseEntityTag(b) ?? weak('y')]
    expect([strongMatch(x, y), weakMatch(x, y)]).toEqual([strongly, weakly])
  })
})

describe('parseEntityTags: whitespace', () => {
  it('takes no no-break space for it', () => {
    expect(parseEntityTags('\u00a0*')).toBeNull()
  })
})
