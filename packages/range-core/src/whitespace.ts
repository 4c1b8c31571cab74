/** OWS is space and tab; `trim` would also take the no-break space, which Node passes on from the wire. */
export function trimWhitespace(text: string): string {
  let [start, end] = [0, text.length]
  while (text[start] === ' ' || text[start] === '\t') start++
  while (end > start && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--
  return text.slice(start, end)
}
