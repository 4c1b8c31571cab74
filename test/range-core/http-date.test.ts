import fc from 'fast-check'
import { formatHttpDate, parseHttpDate } from 'range-core'
import { describe, expect, it } from 'vitest'

const EXAMPLE = 784111777000
const YEAR_0 = Date.parse('0000-01-01T00:00:00Z')
const YEAR_9999 = Date.parse('9999-12-31T23:59:59Z')

describe('parseHttpDate: RFC 9110 §5.6.7', () => {
  it('reads the example of its documentation', () => {
    expect(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT')).toBe(784111777000)
  })

  it.each([
    ['IMF-fixdate', 'Sun, 06 Nov 1994 08:49:37 GMT', EXAMPLE],
    ['the RFC 850 form', 'Sunday, 06-Nov-94 08:49:37 GMT', EXAMPLE],
    ['the asctime form', 'Sun Nov  6 08:49:37 1994', EXAMPLE],
    ['an asctime day of two digits', 'Wed Nov 16 08:49:37 1994', EXAMPLE + 10 * 86_400_000],
    ['a leap second', 'Sat, 31 Dec 2016 23:59:60 GMT', Date.parse('2017-01-01T00:00:00Z')],
    ['29 February of a leap year', 'Thu, 29 Feb 2024 00:00:00 GMT', Date.parse('2024-02-29T00:00:00Z')],
    ['29 February 2000', 'Tue, 29 Feb 2000 00:00:00 GMT', Date.parse('2000-02-29T00:00:00Z')],
    ['the year 0', 'Sat, 01 Jan 0000 00:00:00 GMT', YEAR_0],
    ['the year 99, not 1999', 'Thu, 01 Jan 0099 00:00:00 GMT', Date.parse('0099-01-01T00:00:00Z')],
    ['the year 50 in asctime, not 1950', 'Sat Jan  1 00:00:00 0050', Date.parse('0050-01-01T00:00:00Z')],
    ['29 February of the year 0', 'Tue, 29 Feb 0000 00:00:00 GMT', Date.parse('0000-02-29T00:00:00Z')],
    ['the year 9999', 'Fri, 31 Dec 9999 23:59:59 GMT', YEAR_9999],
    ['the epoch', 'Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['a wrong day of the week', 'Mon, 06 Nov 1994 08:49:37 GMT', EXAMPLE],
  ])('reads %s', (_what, field, time) => {
    expect(parseHttpDate(field, EXAMPLE)).toBe(time)
  })

  it.each([
    ['an empty field', ''],
    ['31 April', 'Sun, 31 Apr 1994 08:49:37 GMT'],
    ['29 February of a common year', 'Wed, 29 Feb 2023 00:00:00 GMT'],
    ['29 February 1900', 'Thu, 29 Feb 1900 00:00:00 GMT'],
    ['29 February of a common year in asctime', 'Wed Feb 29 00:00:00 2023'],
    ['day 0', 'Sun, 00 Nov 1994 08:49:37 GMT'],
    ['day 32', 'Sun, 32 Dec 1994 08:49:37 GMT'],
    ['hour 24', 'Sun, 06 Nov 1994 24:00:00 GMT'],
    ['minute 60', 'Sun, 06 Nov 1994 08:60:00 GMT'],
    ['second 61', 'Sun, 06 Nov 1994 08:49:61 GMT'],
    ['an unknown month', 'Sun, 06 Nix 1994 08:49:37 GMT'],
    ['an unknown day', 'Son, 06 Nov 1994 08:49:37 GMT'],
    ['a day in lower case', 'sun, 06 Nov 1994 08:49:37 GMT'],
    ['a month in upper case', 'Sun, 06 NOV 1994 08:49:37 GMT'],
    ['gmt in lower case', 'Sun, 06 Nov 1994 08:49:37 gmt'],
    ['UTC', 'Sun, 06 Nov 1994 08:49:37 UTC'],
    ['an offset', 'Sun, 06 Nov 1994 08:49:37 +0000'],
    ['no zone', 'Sun, 06 Nov 1994 08:49:37'],
    ['a day of one digit', 'Sun, 6 Nov 1994 08:49:37 GMT'],
    ['an asctime day of one digit without its space', 'Sun Nov 6 08:49:37 1994'],
    ['a zone behind asctime', 'Sun Nov  6 08:49:37 1994 GMT'],
    ['no day of the week', '06 Nov 1994 08:49:37 GMT'],
    ['a long day in IMF-fixdate', 'Sunday, 06 Nov 1994 08:49:37 GMT'],
    ['a short day in the RFC 850 form', 'Sun, 06-Nov-94 08:49:37 GMT'],
    ['a year of four digits in the RFC 850 form', 'Sunday, 06-Nov-1994 08:49:37 GMT'],
    ['a year of five digits', 'Sun, 06 Nov 11994 08:49:37 GMT'],
    ['two spaces', 'Sun,  06 Nov 1994 08:49:37 GMT'],
    ['a leading space', ' Sun, 06 Nov 1994 08:49:37 GMT'],
    ['a trailing line feed', 'Sun, 06 Nov 1994 08:49:37 GMT\n'],
    ['ISO 8601', '1994-11-06T08:49:37Z'],
    ['a number', '784111777000'],
    ['what only Date.parse reads', 'Nov 6, 1994'],
  ])('takes %s for no date', (_what, field) => {
    expect(parseHttpDate(field, EXAMPLE)).toBeNull()
  })

  it.each([
    ['IMF-fixdate', 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['RFC 850 form', 'Sunday, 06-Nov-94 08:49:37 GMT'],
    ['asctime form', 'Sun Nov  6 08:49:37 1994'],
  ])('takes an %s with any one character dropped, doubled or replaced for no date', (_form, field) => {
    const spoilt = Array.from(field).flatMap((character, at) =>
      ['', character + character, 'x', character === ' ' ? '\t' : ' '].map(
        (other) => field.slice(0, at) + other + field.slice(at + 1),
      ),
    )
    expect(spoilt.filter((text) => parseHttpDate(text, EXAMPLE) !== null)).toEqual([])
  })

  // "more than 50 years in the future … the most recent year in the past that had the same last two digits"
  it.each([
    ['2025-06-15T12:00:00Z', 'Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06T08:49:37Z'],
    ['2025-06-15T12:00:00Z', 'Sunday, 01-Jan-25 00:00:00 GMT', '2025-01-01T00:00:00Z'],
    ['2025-06-15T12:00:00Z', 'Sunday, 01-Jan-74 00:00:00 GMT', '2074-01-01T00:00:00Z'],
    ['2025-06-15T12:00:00Z', 'Sunday, 15-Jun-75 12:00:00 GMT', '2075-06-15T12:00:00Z'],
    ['2025-06-15T12:00:00Z', 'Sunday, 15-Jun-75 12:00:01 GMT', '1975-06-15T12:00:01Z'],
    ['2025-06-15T12:00:00Z', 'Sunday, 01-Jan-76 00:00:00 GMT', '1976-01-01T00:00:00Z'],
    ['1999-06-15T12:00:00Z', 'Sunday, 01-Jan-20 00:00:00 GMT', '2020-01-01T00:00:00Z'],
    ['1999-06-15T12:00:00Z', 'Sunday, 01-Jan-50 00:00:00 GMT', '1950-01-01T00:00:00Z'],
    ['2060-06-15T12:00:00Z', 'Sunday, 01-Jan-05 00:00:00 GMT', '2105-01-01T00:00:00Z'],
    ['2060-06-15T12:00:00Z', 'Sunday, 01-Jan-11 00:00:00 GMT', '2011-01-01T00:00:00Z'],
    ['2040-01-01T00:00:00Z', 'Sunday, 29-Feb-00 00:00:00 GMT', '2000-02-29T00:00:00Z'],
    ['2049-12-31T00:00:00Z', 'Sunday, 29-Feb-00 00:00:00 GMT', '2000-02-29T00:00:00Z'],
    ['2050-02-01T00:00:00Z', 'Sunday, 29-Feb-00 00:00:00 GMT', '2000-02-29T00:00:00Z'],
    ['2050-02-28T12:00:00Z', 'Sunday, 29-Feb-00 00:00:00 GMT', '2000-02-29T00:00:00Z'],
  ])('at %s reads the two-digit year of %s as %s', (now, field, time) => {
    expect(parseHttpDate(field, Date.parse(now))).toBe(Date.parse(time))
  })

  it.each([
    ['31 February', 'Sunday, 31-Feb-94 08:49:37 GMT', '2025-01-01T00:00:00Z'],
    ['29 February of a common year', 'Sunday, 29-Feb-95 08:49:37 GMT', '2025-01-01T00:00:00Z'],
    ['29 February 2100', 'Sunday, 29-Feb-00 00:00:00 GMT', '2051-01-01T00:00:00Z'],
    ['29 February 2100, no more than 50 years on,', 'Sunday, 29-Feb-00 00:00:00 GMT', '2050-03-01T00:00:00Z'],
  ])('takes %s with a two-digit year for no date', (_what, field, now) => {
    expect(parseHttpDate(field, Date.parse(now))).toBeNull()
  })

  it('reads a two-digit year against the clock by default', () => {
    const thisYear = new Date().getUTCFullYear()
    const field = `Monday, 01-Jan-${String(thisYear % 100).padStart(2, '0')} 00:00:00 GMT`
    expect(parseHttpDate(field)).toBe(Date.UTC(thisYear, 0, 1))
  })

  it('reads back any second of the years 0 to 9999 that formatHttpDate writes (property)', () => {
    fc.assert(
      fc.property(fc.integer({ min: YEAR_0 / 1000, max: YEAR_9999 / 1000 }), fc.nat(999), (second, ms) => {
        expect(parseHttpDate(formatHttpDate(second * 1000 + ms), 0)).toBe(second * 1000)
      }),
    )
  })

  it('reads any second of the years 0 to 9999 in asctime as that second (property)', () => {
    fc.assert(
      fc.property(fc.integer({ min: YEAR_0 / 1000, max: YEAR_9999 / 1000 }), (second) => {
        expect(parseHttpDate(toAsctime(second * 1000))).toBe(second * 1000)
      }),
    )
  })

  it('reads a date of two digits within 50 years on as that date (property)', () => {
    const now = Date.parse('2025-06-15T12:00:00Z')
    const [from, to] = [Date.parse('1975-06-15T12:00:01Z') / 1000, Date.parse('2075-06-15T12:00:00Z') / 1000]
    fc.assert(
      fc.property(fc.integer({ min: from, max: to }), (second) => {
        expect(parseHttpDate(toRfc850(second * 1000), now)).toBe(second * 1000)
      }),
    )
  })

  it('reads just those dates and times that the calendar and the clock have (property)', () => {
    const twoDigits = fc.integer({ min: 0, max: 70 }).map((n) => String(n).padStart(2, '0'))
    const fourDigits = fc.nat(9999).map((n) => String(n).padStart(4, '0'))
    const month = fc.integer({ min: 1, max: 12 })
    fc.assert(
      fc.property(
        twoDigits,
        month,
        fourDigits,
        twoDigits,
        twoDigits,
        twoDigits,
        (day, m, year, h, min, s) => {
          const name = new Date(Date.UTC(2000, m - 1)).toUTCString().slice(8, 11)
          const iso = `${year}-${String(m).padStart(2, '0')}-${day}T${h}:${min}:${s}.000Z`
          const time = Date.parse(iso)
          const exists = !Number.isNaN(time) && new Date(time).toISOString() === iso
          const read = parseHttpDate(`Sun, ${day} ${name} ${year} ${h}:${min}:${s} GMT`)
          if (s !== '60') expect(read).toBe(exists ? time : null)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('never throws, and reads whole seconds or nothing (property)', () => {
    const piece = fc.constantFrom(
      'Sun',
      'Sunday',
      ', ',
      ' ',
      '06',
      '-',
      'Nov',
      '1994',
      '94',
      '08:49:37',
      ' GMT',
    )
    const noise = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(fc.oneof(noise, fc.string({ unit: 'binary' })), (field) => {
        expect(Number.isInteger((parseHttpDate(field) ?? 0) / 1000)).toBe(true)
      }),
    )
  })
})

function toRfc850(time: number): string {
  const day = new Date(time).toLocaleDateString('en-US', { weekday: 'long', timeZone: 'UTC' })
  const [, date, month, year, clock] = new Date(time).toUTCString().split(' ')
  return `${day}, ${date}-${month}-${year?.slice(2)} ${clock} GMT`
}

function toAsctime(time: number): string {
  const [day, date, month, year, clock] = new Date(time).toUTCString().split(' ')
  return `${day?.slice(0, 3)} ${month} ${date?.replace(/^0/, ' ')} ${clock} ${year}`
}

describe('formatHttpDate: RFC 9110 §5.6.7', () => {
  it('writes the example of its documentation', () => {
    expect(formatHttpDate(784111777999)).toBe('Sun, 06 Nov 1994 08:49:37 GMT')
  })

  it('cuts a time before the epoch down to the second', () => {
    expect(formatHttpDate(-1)).toBe('Wed, 31 Dec 1969 23:59:59 GMT')
  })

  it('writes four digits for the years 0 to 99', () => {
    expect(formatHttpDate(YEAR_0)).toBe('Sat, 01 Jan 0000 00:00:00 GMT')
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 8.64e15 + 1])(
    'throws a RangeError that names %s',
    (time) => {
      expect(() => formatHttpDate(time)).toThrow(RangeError)
      expect(() => formatHttpDate(time)).toThrow(`${time} is not a date.`)
    },
  )
})
