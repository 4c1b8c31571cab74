/** Boxes that may come before the one that shows what a file is: of QuickTime (QTFF) and of ISO/IEC 14496-12. */
const LEADING: Readonly<Record<string, string>> = {
  free: 'video/quicktime',
  pnot: 'video/quicktime',
  PICT: 'video/quicktime',
  skip: 'video/quicktime',
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
 * Reads the boxes at the beginning of a file that begins with another box than `ftyp`; `null` if it is no such file.
 *
 * A box that ends past the head counts by its name alone. Its size then is below 16 MiB, so that the file begins with a
 * NUL: a text, `<!--skip-->` for one, cannot pass as a box.
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
