const BEGIN = '<!-- npm run conformance writes what is from here -->\n'
const END = '\n<!-- to here -->'

/**
 * What `npm run conformance` has written into a document.
 *
 * @throws Error when it has no place for that
 */
export function blockOf(text: string): string {
  const [from, to] = placeOf(text)
  return text.slice(from, to)
}

/** The document with `block` in the place of what stood there. */
export function withBlock(text: string, block: string): string {
  const [from, to] = placeOf(text)
  return `${text.slice(0, from)}${block}${text.slice(to)}`
}

function placeOf(text: string): readonly [from: number, to: number] {
  const [begin, to] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (begin < 0 || to < begin) throw new Error(`Put ${BEGIN.trim()} and ${END.trim()} into the document`)
  return [begin + BEGIN.length, to]
}
