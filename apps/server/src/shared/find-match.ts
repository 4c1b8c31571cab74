/** A part of a text, as indices of UTF-16 code units; `end` is exclusive. */
export interface Match {
  readonly start: number
  readonly end: number
}

/**
 * Finds `part` in `text` as the search of the server does: without regard to case, accents and Unicode form. Returns `null`
 * if it is not there, or is empty.
 *
 * @example
 * findMatch('Die Fähre', 'fahr') // { start: 4, end: 8 }
 */
export function findMatch(text: string, part: string): Match | null {
  const wanted = fold(part)
  if (wanted === '') return null
  let folded = ''
  /** Where each code unit of `folded` comes from. */
  const sources: number[] = []
  let at = 0
  for (const character of text) {
    const piece = fold(character)
    for (let unit = 0; unit < piece.length; unit++) sources.push(at)
    folded += piece
    at += character.length
  }
  const found = folded.indexOf(wanted)
  const start = sources[found]
  const last = sources[found + wanted.length - 1]
  if (start === undefined || last === undefined) return null
  return { start, end: endOf(text, last) }
}

const fold = (text: string): string =>
  text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/ß/g, 'ss')

/** Returns where the character at `start` ends, with the marks that belong to it. */
function endOf(text: string, start: number): number {
  const [character = ''] = /^.\p{M}*/su.exec(text.slice(start)) ?? []
  return start + character.length
}
