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
