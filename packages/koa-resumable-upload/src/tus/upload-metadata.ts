import { malformed, RefusedError } from '../errors.ts'

/** What Upload-Metadata contains: text, empty for a name without a value. */
export type TusMetadata = Readonly<Record<string, string>>

/** A name is any text of ASCII without space and comma, as the characters of the field allow it. */
const PAIR = /^([\x21-\x2b\x2d-\x7e]+)(?: +([A-Za-z0-9+/]*={0,2}))?$/

/**
 * Parses Upload-Metadata: pairs of a name and a value in base64, separated by commas.
 *
 * @throws RefusedError 400 if a pair is malformed or a name occurs twice
 * @example
 * parseUploadMetadata('filename ZmlsbS5tcDQ=,private') // { filename: 'film.mp4', private: '' }
 */
export function parseUploadMetadata(field: string): TusMetadata {
  const entries = new Map<string, string>()
  for (const text of field === '' ? [] : field.split(',')) {
    const [, name, value] = PAIR.exec(text.trim()) ?? []
    if (name === undefined) throw refuse(`has the pair ${JSON.stringify(text.slice(0, 40))}`)
    if (entries.has(name)) throw refuse(`has the name ${JSON.stringify(name.slice(0, 40))} twice`)
    const bytes = Buffer.from(value ?? '', 'base64')
    if (bytes.toString('base64') !== (value ?? ''))
      throw refuse(`has the value ${JSON.stringify(value?.slice(0, 40))}, which is not base64`)
    entries.set(name, bytes.toString())
  }
  // Own properties only: a client may name one "__proto__".
  return Object.fromEntries(entries)
}

function refuse(fault: string): RefusedError {
  const rule = 'Send pairs of a name and a value in base64, separated by commas, each name once.'
  return new RefusedError(malformed(`Upload-Metadata ${fault}. ${rule}`))
}
