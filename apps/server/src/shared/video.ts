/** A video as the page shows it: rendered by the server, and updated by the script. */
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
  /** The path of the content. */
  readonly url: string
}

export type Kind = 'video' | 'audio' | 'file'

/** Returns how the page presents a media type; browsers do not play a `file`. */
export const videoKind = (type: string): Kind =>
  type.startsWith('video/') ? 'video' : type.startsWith('audio/') ? 'audio' : 'file'

/** The path of the page that plays a video. */
export const playPath = (key: string): string => `/?play=${encodeURIComponent(key)}`

/** The path of a video in the API. */
export const videoPath = (key: string): string => `/videos/${encodeURIComponent(key)}`

export const downloadPath = (key: string): string => `${videoPath(key)}?download`

/** The order of the list of a page. */
export type Order = 'newest' | 'name' | 'largest'

export const ORDERS: readonly (readonly [order: Order, label: string])[] = [
  ['newest', 'Newest'],
  ['name', 'Name'],
  ['largest', 'Largest'],
]

export const parseOrder = (text: string | null | undefined): Order =>
  ORDERS.find(([order]) => order === text)?.[0] ?? 'newest'

/** How many videos there are, such as `130 videos, 39 GiB`. */
export const countText = (count: number, size: string): string =>
  `${count} ${count === 1 ? 'video' : 'videos'}, ${size}`

export const posterKey = (key: string): string => `${key}.poster.jpg`

/** The media type of captions: WebVTT, stored under a key of their own. */
export const CAPTIONS = 'text/vtt'

/** The key of the captions of the video under `key`. */
export const captionsKey = (key: string): string => `${key}.vtt`
