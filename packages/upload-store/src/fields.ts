/** The fields of a JSON object; `null` for any other text. */
export function parseFields(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text)
    return isFields(value) ? value : null
  } catch {
    return null
  }
}

export function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

export function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}
