import { isMarkup } from './text.ts'

/** Boxes that may come before the one that shows what a file is: of QuickTime (QTFF) and of ISO/IEC 14496-12. */
const LEADING: Readonly<Record<string, string>> = {
  free: 'video/quicktime',
  junk: 'video/quicktime',
  pnot: 'video/quicktime',
  PICT: 'video/quicktime',
  skip: 'video/quicktime',
  udta: 'video/quicktime',
  wide: 'video/quicktime',
  emsg: 'video/mp4',
  pdin: 'video/mp4',
  prft: 'video/mp4',
  sidx: 'video/mp4',
  ssix: 'video/mp4',
  styp: 'video/mp4',
  uuid: 'video/mp4',
}

/** Boxes that only a film has. */
const FILM: Readonly<Record<string, string>> = {
  mdat: 'video/quicktime',
  moof: 'video/mp4',
  moov: 'video/quicktime',
}

export interface Boxes {
  /** What the boxes so far say. */
  readonly type: string
  /** Where `ftyp` begins, whose brand says more; `null` if it is not in the head. */
  readonly brandAt: number | null
}

/**
 * Returns whether a file begins with the name of a box and is a page all the same: `<!--ftyp`. The size before the name of a
 * first box is below 16 MiB, so that its first byte is a NUL. Only `mdat`, the film itself, may be larger.
 */
export function isFalseBox(head: Uint8Array): boolean {
  const name = Buffer.from(head.subarray(4, 8)).toString('latin1')
  if (name !== 'ftyp' && !(name in LEADING) && !(name in FILM)) return false
  return name === 'mdat' ? isMarkup(head) : head[0] !== 0
}

/**
 * Reads the boxes at the beginning of a file that begins with another box than `ftyp`; `null` if it is no such file.
 *
 * A box that ends past the head counts by its name alone, if its size is below 16 MiB.
 */
export function readBoxes(head: Uint8Array): Boxes | null {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  let type: string | null = null
  for (let at = 0; at < head.length; ) {
    const name = Buffer.from(head.subarray(at + 4, at + 8)).toString('latin1')
    if (name === 'ftyp') return type === null ? null : { type, brandAt: at }
    const found = FILM[name] ?? LEADING[name]
    if (found === undefined || head[at] !== 0) return null
    // A segment of MP4 stays MP4, whatever padding is between its boxes.
    if (type !== 'video/mp4') type = found
    if (name in FILM) break
    at += Math.max(8, view.getUint32(at))
  }
  return type === null ? null : { type, brandAt: null }
}
