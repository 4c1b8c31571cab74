/** A request for a video, as the server received and answered it. */
export interface TracedRequest {
  /** Identifies the request: a later state replaces an earlier one with the same id. */
  readonly id: string
  /** When the request arrived, ISO 8601. */
  readonly time: string
  readonly method: string
  readonly status: number
  /** The Range field. */
  readonly range: string | null
  /** The Content-Range of the response. */
  readonly contentRange: string | null
  readonly state: 'sending' | 'sent' | 'stopped'
  /** Bytes given to the connection, with header fields in HTTP/1; `null` until the response ends, and where unknown. */
  readonly sent: number | null
}
