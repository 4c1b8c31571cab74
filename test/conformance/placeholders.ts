import { field, type Response } from './response.ts'
import { NotApplicable } from './violation.ts'

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const IMF_FIXDATE = new RegExp(
  `^(?:${DAYS.map((day) => day.slice(0, 3)).join('|')}), \\d\\d (?:${MONTHS.join('|')}) \\d{4} \\d\\d:\\d\\d:\\d\\d GMT$`,
)

/** ms since the epoch, or `null` for anything but the form that servers have to send (RFC 9110 §5.6.7). */
export function parseImfFixdate(text: string | undefined): number | null {
  return text !== undefined && IMF_FIXDATE.test(text) ? Date.parse(text) : null
}

const two = (value: number) => String(value).padStart(2, '0')

const FORMS: Readonly<Record<string, (date: Date) => string>> = {
  imf: (date) => date.toUTCString(),
  rfc850: (date) => {
    const day = `${two(date.getUTCDate())}-${MONTHS[date.getUTCMonth()]}-${two(date.getUTCFullYear() % 100)}`
    return `${DAYS[date.getUTCDay()]}, ${day} ${time(date)} GMT`
  },
  asctime: (date) => {
    const day = `${DAYS[date.getUTCDay()]?.slice(0, 3)} ${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)}`
    return `${day} ${time(date)} ${date.getUTCFullYear()}`
  },
  iso: (date) => date.toISOString(),
  offset: (date) => date.toUTCString().replace('GMT', '+0000'),
  lower: (date) => date.toUTCString().toLowerCase(),
  seconds: (date) => String(Math.floor(date.getTime() / 1000)),
}

function time(date: Date): string {
  return [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':')
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, h: 3_600_000, d: 86_400_000, y: 31_557_600_000 }
const PLACEHOLDER =
  /\{(?:(\w+)\.)?(etag|weak|strong|opaque|swapped|date|now)(?:([+-]\d+)([shdy]))?(?:\|(\w+))?\}/g

/**
 * Fills in what only the server knows: `{etag}` is its entity-tag, `{weak}` and `{strong}` that tag with and without
 * `W/`, `{opaque}` what is between the quotes, `{swapped}` the same with upper and lower case exchanged, `{date}` its
 * Last-Modified and `{now}` the time, both as `{date+1h|asctime}` moved and in another form.
 *
 * @param find gives the response to read it from: one that a case saved, or for no name a plain GET's
 * @throws NotApplicable when the server does not send the field
 */
export function fillIn(line: string, find: (name: string | undefined) => Response): string {
  return line.replace(
    PLACEHOLDER,
    (_, saved?: string, what?: string, count = '0', unit = 's', form = 'imf') => {
      if (what !== 'date' && what !== 'now') return formOfTag(entityTag(find(saved)), what)
      const from = what === 'now' ? Date.now() : lastModified(find(saved))
      return FORMS[form]?.(new Date(from + Number(count) * (UNITS[unit] ?? 0))) ?? line
    },
  )
}

function formOfTag(tag: string, form: string | undefined): string {
  const opaque = tag.replace(/^(?:W\/)?"|"$/g, '')
  switch (form) {
    case 'weak':
      return `W/"${opaque}"`
    case 'strong':
      return `"${opaque}"`
    case 'opaque':
      return opaque
    case 'swapped':
      return swapCase(opaque)
    default:
      return tag
  }
}

function swapCase(text: string): string {
  const swapped = text.replace(/[A-Za-z]/g, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  )
  if (swapped === text) throw new NotApplicable('no letter in the entity-tag')
  return swapped
}

/** @throws NotApplicable when there is none */
export function entityTag(response: Response): string {
  const tag = field(response, 'etag')
  if (tag === undefined) throw new NotApplicable('no ETag')
  return tag
}

function lastModified(response: Response): number {
  const date = parseImfFixdate(field(response, 'last-modified'))
  if (date === null) throw new NotApplicable('no Last-Modified')
  return date
}
