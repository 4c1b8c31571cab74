/**
 * Returns a sentence with the known name that a mistyped one may stand for, after a space, or an empty text.
 *
 * @example
 * suggest('--prot', ['--host', '--port']) // ' Did you mean --port?'
 */
export function suggest(name: string, known: readonly string[]): string {
  const near = known.find((each) => isNear(each, name))
  return near === undefined ? '' : ` Did you mean ${near}?`
}

/** Whether two words differ in at most one letter, or have the same beginning. */
function isNear(word: string, other: string): boolean {
  if (word.startsWith(other) || other.startsWith(word)) return true
  let at = 0
  while (at < word.length && word[at] === other[at]) at++
  const [rest, otherRest] = [word.slice(at), other.slice(at)]
  return [
    [rest.slice(1), otherRest],
    [rest, otherRest.slice(1)],
    [rest.slice(1), otherRest.slice(1)],
    [`${rest[1]}${rest[0]}${rest.slice(2)}`, otherRest],
  ].some(([one, two]) => one === two)
}
