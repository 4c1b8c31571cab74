import { invalidDate } from './errors.ts'
import type { Representation, RequestFields } from './representation.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const MONTH = `(?<month>${MONTHS.join('|')})`
const TIME = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)'

const IMF_FIXDATE = new RegExp(
  `^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`,
)
const RFC_850 = new RegExp(
  `^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`,
)
const ASCTIME = new RegExp(
  `^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`,
)

/**
 * Reads an HTTP-date in any of its three forms, always as UTC, or returns `null` if it is not a date.
 *
 * @param field the field value, e.g. `Sun, 06 Nov 1994 08:49:37 GMT`; names of days and months are case-sensitive
 * @param now ms since the epoch; only the two-digit year of the RFC 850 form is read against it
 * @returns ms since the epoch, a whole number of seconds; `null` also for a date that no calendar has
 * @see RFC 9110 §5.6.7
 * @example
 * parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT') // 784111777000
 */
export function parseHttpDate(field: string, now: number = Date.now()): number | null {
  const groups = (IMF_FIXDATE.exec(field) ?? RFC_850.exec(field) ?? ASCTIME.exec(field))?.groups
  if (groups === undefined) return null
  const { day = '', month = '', year = '', hour = '', minute = '', second = '' } = groups
  const at = (fullYear: number) =>
    utc(fullYear, MONTHS.indexOf(month), Number(day), Number(hour), Number(minute), Number(second))
  return year.length === 2 ? at(expandYear(Number(year), at, now)) : at(Number(year))
}

/** The latest year with these last two digits that is not more than 50 years ahead of `now`. */
function expandYear(lastTwoDigits: number, at: (year: number) => number | null, now: number): number {
  const limit = new Date(now)
  limit.setUTCFullYear(limit.getUTCFullYear() + 50)
  const century = limit.getUTCFullYear() - (limit.getUTCFullYear() % 100)
  const year = century + lastTwoDigits
  // 29 February exists in one century and not in the next: an impossible date counts as that year's 1 March.
  const time = at(year) ?? Date.UTC(year, 2, 1)
  return time > limit.getTime() ? year - 100 : year
}

function utc(year: number, month: number, day: number, hour: number, minute: number, second: number) {
  // 60 is a leap second, which the grammar allows.
  if (hour > 23 || minute > 59 || second > 60) return null
  const date = new Date(0)
  // Not Date.UTC, which takes the years 0–99 for 1900–1999.
  date.setUTCFullYear(year, month, day)
  if (date.getUTCDate() !== day) return null
  return date.setUTCHours(hour, minute, second)
}

/**
 * Writes a time as an IMF-fixdate, cut to the second.
 *
 * @param time ms since the epoch, in the years 0–9999
 * @throws RangeError when `time` is no time, as `Date` does
 * @see RFC 9110 §5.6.7
 * @example
 * formatHttpDate(784111777999) // 'Sun, 06 Nov 1994 08:49:37 GMT'
 */
export function formatHttpDate(time: number): string {
  const known = written.get(time)
  if (known !== undefined) return known
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) throw invalidDate(time)
  if (written.size === MAX_WRITTEN) written.clear()
  const text = date.toUTCString()
  written.set(time, text)
  return text
}

/** The same few dates are asked for all the time, and writing one takes as long as the rest of a plan. */
const written = new Map<number, string>()
const MAX_WRITTEN = 1000

/** The value of a field, its lines joined into one list (RFC 9110 §5.3), or `undefined` when it was not sent. */
export function fieldValue(headers: RequestFields, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' || value === undefined ? value : value.join(', ')
}

/** OWS is space and tab; `trim` would also take the no-break space, which Node passes on from the wire. */
export function trimWhitespace(text: string): string {
  let [start, end] = [0, text.length]
  while (text[start] === ' ' || text[start] === '\t') start++
  while (end > start && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--
  return text.slice(start, end)
}

const YEAR_0 = Date.parse('0000-01-01T00:00:00Z')

/**
 * The modification time that Last-Modified tells: cut to the second, and never later than `now`, because the field must
 * not be later than Date (RFC 9110 §8.8.2.1).
 */
export function lastModifiedSecond(representation: Representation, now: number): number | undefined {
  const { lastModified } = representation
  // HTTP-dates begin with the year 0, `Date` long before.
  if (lastModified === undefined || !(lastModified >= YEAR_0)) return undefined
  return Math.floor(Math.min(lastModified, now) / 1000) * 1000
}
