/** What is known of the bytes that a URL selects now. Only `size` is required. */
export interface Representation {
  /** The complete length in bytes. */
  readonly size: number
  /** The entity-tag, quotes and any `W/` included. */
  readonly etag?: string | undefined
  /** Last modification, ms since the epoch. */
  readonly lastModified?: number | undefined
  /** The media type, as Content-Type has it. */
  readonly type?: string | undefined
}

/** Header fields of a request by lower-case name, as Node gives them; a field sent on several lines may be an array. */
export interface RequestFields {
  readonly [name: string]: string | readonly string[] | undefined
}

/** The part of a request that decides on ranges and preconditions. */
export interface RequestHead {
  /** Upper case, as on the wire. */
  readonly method: string
  readonly headers: RequestFields
}

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
