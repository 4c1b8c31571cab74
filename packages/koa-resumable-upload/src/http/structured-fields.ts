import { parseDictionary, parseItem, serializeDictionary, serializeItem } from 'structured-headers'

/** A structured field that is a Boolean, or `null` where it is absent or anything else: such a field is to be ignored. */
export function booleanField(text: string | undefined): boolean | null {
  const value = parseValue(text)
  return typeof value === 'boolean' ? value : null
}

/** A structured field that is an Integer of 0 and more, or `null` where it is absent or anything else. */
export function integerField(text: string | undefined): number | null {
  const value = parseValue(text)
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) return null
  // To the parser the Decimal 1.0 is the number 1.
  if (text?.split(';')[0]?.includes('.')) return null
  // And -0 is an Integer.
  return Math.abs(value)
}

function parseValue(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return parseItem(text)[0]
  } catch {
    // Node joins repeated lines by a comma, which no Item has.
    return undefined
  }
}

/** Returns the members of a Dictionary, or `null` if the text is not a Dictionary. */
export function dictionaryField(text: string): ReadonlyMap<string, unknown> | null {
  try {
    return new Map([...parseDictionary(text)].map(([name, [value]]) => [name, value]))
  } catch {
    return null
  }
}

export function formatBoolean(value: boolean): string {
  return serializeItem(value)
}

export function formatIntegers(members: Readonly<Record<string, number>>): string {
  return serializeDictionary(members)
}
