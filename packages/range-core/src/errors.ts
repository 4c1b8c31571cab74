/** The codes of the errors that this package throws: mistakes of the caller, never of a client. The README lists them. */
type ArgumentErrorCode =
  /**
   * A time cannot be written as an HTTP-date.
   * When: `formatHttpDate` gets NaN or a time outside the years that a Date can hold.
   * Remedy: pass milliseconds since the epoch.
   */
  | 'INVALID_DATE'
  /**
   * A limit is not a number.
   * When: `planResponse` gets `maxRanges` or `maxPartialLength` that is NaN, as of an unset variable.
   * Remedy: pass a number, or omit the option.
   */
  | 'INVALID_LIMIT'
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

/** A limit that is NaN would be no limit, or make a response whose length is NaN. */
export function invalidLimit(name: string, value: number): RangeError {
  return coded('INVALID_LIMIT', `The option ${name} is ${value}. Pass a number, or omit it.`)
}

export function invalidSize(size: number): RangeError {
  return coded('INVALID_SIZE', `The size ${size} is not a whole number of bytes. Pass the exact length.`)
}
