/** The codes of the errors that this package throws: mistakes of the caller, never of a client. The README lists them. */
type ArgumentErrorCode =
  /**
   * A time cannot be written as an HTTP-date.
   * When: `formatHttpDate` gets NaN or a time outside the years that a Date can hold.
   * Remedy: pass milliseconds since the epoch.
   */
  | 'INVALID_DATE'
  /**
   * The length of a representation is not a whole number of bytes.
   * When: `planResponse` gets a `size` that is negative, a fraction, NaN or above 2^53 - 1.
   * Remedy: pass the exact length.
   */
  | 'INVALID_SIZE'

function coded(code: ArgumentErrorCode, message: string): RangeError {
  return Object.assign(new RangeError(message), { code })
}

export function invalidDate(time: number): RangeError {
  return coded('INVALID_DATE', `${time} is not a date. Pass milliseconds since the epoch.`)
}

export function invalidSize(size: number): RangeError {
  return coded('INVALID_SIZE', `The size ${size} is not a whole number of bytes. Pass the exact length.`)
}
