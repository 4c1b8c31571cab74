import { type Html, html } from './html.ts'

export interface PageVideo {
  readonly key: string
  /** In bytes. */
  readonly size: number
  /** The media type. */
  readonly type: string
  /** sha-256, lower-case hex. */
  readonly digest: string
  /** ISO 8601. */
  readonly created: string
  /** The site-absolute path of the bytes. */
  readonly url: string
}

export type Kind = 'video' | 'audio' | 'file'

export const kindOf = (type: string): Kind =>
  type.startsWith('video/') ? 'video' : type.startsWith('audio/') ? 'audio' : 'file'

export const playPath = (key: string): string => `/?play=${encodeURIComponent(key)}`

export const downloadPath = (key: string): string => `/videos/${encodeURIComponent(key)}?download`

/** The script reads its videos from here. */
export function dataOf({ key, size, type, digest, created, url }: PageVideo): Html {
  return html` data-key="${key}" data-size="${size}" data-type="${type}" data-digest="${digest}" data-created="${created}" data-url="${url}"`
}

export const hiddenUnless = (shown: boolean): Html | null => (shown ? null : html` hidden`)
