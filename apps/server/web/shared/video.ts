import type { PageVideo } from '../../src/shared/video.ts'

/** An item of the list in the server's JSON. */
export interface Item extends Omit<PageVideo, 'url'> {
  readonly video_url: string
}

/** The list in the server's JSON. */
export interface Listing {
  readonly items: readonly Item[]
  readonly cursor: string | null
  /** All videos of the list; `null` if the server would have to read all of them. */
  readonly total: { readonly count: number; readonly size: number } | null
}

/** Reads a video from the attributes that the server wrote (`videoAttributes`). */
export function readVideo({ dataset }: HTMLElement): PageVideo {
  const { key = '', size, type = '', digest = '', created = '', url = '' } = dataset
  return { key, size: Number(size), type, digest, created, url }
}

/** Takes the path of the URL only: behind a proxy the server may not know its origin, and the policy allows no other. */
export function toVideo({ key, size, type, digest, created, video_url }: Item): PageVideo {
  return { key, size, type, digest, created, url: new URL(video_url, location.href).pathname }
}
