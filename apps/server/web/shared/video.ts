export interface Video {
  readonly key: string
  readonly size: number
  readonly type: string
  /** sha-256, lower-case hex. */
  readonly digest: string
  readonly created: string
  readonly url: string
}

/** As the server's JSON has it. */
export interface Item extends Omit<Video, 'url'> {
  readonly video_url: string
}

/** As the server's list has it. */
export interface Listing {
  readonly items: readonly Item[]
  readonly cursor: string | null
}

interface State {
  playing: Video | null
  /** Every video seen so far, so that going back in history needs no request. */
  readonly known: Map<string, Video>
  /** Keys that are hidden until it is sure that they are gone. */
  readonly deleted: Set<string>
  /** The name under which the server takes down what is asked for, while somebody looks. */
  view: string | null
}

/** Here, because the player marks rows and a row has to know what plays: neither can import the other. */
export const state: State = { playing: null, known: new Map(), deleted: new Set(), view: null }

export const kindOf = (type: string): 'video' | 'audio' | 'file' =>
  type.startsWith('video/') ? 'video' : type.startsWith('audio/') ? 'audio' : 'file'

export const playPath = (key: string): string => `/?play=${encodeURIComponent(key)}`

export const videoPath = (key: string): string => `/videos/${encodeURIComponent(key)}`

/** From the attributes that the server wrote. */
export function videoOf({ dataset }: HTMLElement): Video {
  const { key = '', size, type = '', digest = '', created = '', url = '' } = dataset
  return { key, size: Number(size), type, digest, created, url }
}

/** Behind a proxy the server may not know its own origin, and the policy allows no other. */
export function videoOfItem({ key, size, type, digest, created, video_url }: Item): Video {
  return { key, size, type, digest, created, url: new URL(video_url, location.href).pathname }
}
