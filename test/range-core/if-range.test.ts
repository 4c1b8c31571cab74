import { evaluateIfRange, formatHttpDate, type Representation } from 'range-core'
import { describe, expect, it } from 'vitest'

const CHANGED = Date.parse('2025-06-01T00:00:00.750Z')
const SECOND = Date.parse('2025-06-01T00:00:00Z')
const NOW = CHANGED + 86_400_000
const current: Representation = { size: 10, etag: '"a"', lastModified: CHANGED }

function evaluate(field: string | readonly string[], representation = current, now = NOW) {
  return evaluateIfRange({ method: 'GET', headers: { 'if-range': field } }, representation, now)
}

describe('evaluateIfRange: RFC 9110 §13.1.5', () => {
  it('evaluates the example of its documentation', () => {
    const request = { method: 'GET', headers: { 'if-range': '"a"' } }
    expect(evaluateIfRange(request, { size: 1, etag: '"a"' })).toBe(true)
  })

  it('lets Range count where there is no If-Range', () => {
    expect(evaluateIfRange({ method: 'GET', headers: {} }, { size: 1 }, NOW)).toBe(true)
  })

  it.each([
    ['the current strong tag', '"a"', '"a"'],
    ['a strong tag with a comma', '"a,b"', '"a,b"'],
    ['an empty opaque-tag', '""', '""'],
  ])('lets Range count with %s', (_what, field, etag) => {
    expect(evaluate(field, { size: 10, etag })).toBe(true)
  })

  it.each([
    ['another tag', '"b"', '"a"'],
    ['a weak tag against the strong one', 'W/"a"', '"a"'],
    ['a strong tag against the weak one', '"a"', 'W/"a"'],
    ['the current tag when it is weak', 'W/"a"', 'W/"a"'],
    ['a list', '"a", "b"', '"a"'],
    ['an asterisk', '*', '"a"'],
    ['a tag without quotes', 'a', 'a'],
    ['an open quote', '"a', '"a'],
    ['an empty value', '', '"a"'],
    ['a tag where there is none', '"a"', undefined],
  ])('ignores Range with %s', (_what, field, etag) => {
    expect(evaluate(field, { size: 10, etag, lastModified: CHANGED })).toBe(false)
  })

  it('takes two lines for a list, which never matches', () => {
    expect(evaluate(['"a"', '"a"'])).toBe(false)
    expect(evaluate(['"a"'])).toBe(true)
  })

  it.each([
    ['IMF-fixdate', 'Sun, 01 Jun 2025 00:00:00 GMT'],
    ['the RFC 850 form', 'Sunday, 01-Jun-25 00:00:00 GMT'],
    ['the asctime form', 'Sun Jun  1 00:00:00 2025'],
  ])('lets Range count with the exact date in %s', (_what, field) => {
    expect(evaluate(field)).toBe(true)
  })

  it.each([
    ['an earlier date', formatHttpDate(SECOND - 1000)],
    ['a later date: equal, not "not modified since"', formatHttpDate(SECOND + 1000)],
    ['a date of no HTTP form', '2025-06-01T00:00:00Z'],
  ])('ignores Range with %s', (_what, field) => {
    expect(evaluate(field)).toBe(false)
  })

  it('ignores Range with a date where no modification is known', () => {
    expect(evaluate(formatHttpDate(SECOND), { size: 10, etag: '"a"' })).toBe(false)
    expect(evaluate('nonsense', { size: 10 })).toBe(false)
  })

  it.each([
    [-1, false],
    [0, false],
    [999, false],
    [1000, true],
    [60_000, true],
  ])('with the exact date, %i ms after its second, gives %s (§8.8.2.2)', (ms, counts) => {
    expect(evaluate(formatHttpDate(SECOND), { size: 10, lastModified: SECOND }, SECOND + ms)).toBe(counts)
  })

  it('takes a modification in the future for weak', () => {
    const future = { size: 10, lastModified: NOW + 5000 }
    expect(evaluate(formatHttpDate(NOW), future)).toBe(false)
    expect(evaluate(formatHttpDate(NOW + 5000), future)).toBe(false)
  })

  it.each([
    ['1999-06-15T12:00:00Z', true],
    ['2025-06-15T12:00:00Z', false],
  ])('reads a year of two digits relative to the given time: %s (§5.6.7)', (now, counts) => {
    const old = { size: 10, lastModified: Date.parse('1950-01-01T00:00:00Z') }
    expect(evaluate('Sunday, 01-Jan-50 00:00:00 GMT', old, Date.parse(now))).toBe(counts)
  })

  it('uses the time of the clock by default', () => {
    const withDate = (lastModified: number) =>
      evaluateIfRange(
        { method: 'GET', headers: { 'if-range': formatHttpDate(lastModified) } },
        { size: 10, lastModified },
      )
    expect(withDate(Date.now() - 60_000)).toBe(true)
    expect(withDate(Date.now() + 60_000)).toBe(false)
  })
})
