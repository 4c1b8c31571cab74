import type { UploadMetadata } from '../contract/stored-object.ts'

const MAX_LENGTH = 8192

/**
 * Returns `metadata` if it can be stored.
 *
 * @throws TypeError if it is not a flat object of strings, finite numbers and booleans; RangeError if it is longer than
 * 8 KiB
 */
export function checkMetadata(metadata: UploadMetadata): UploadMetadata {
  if (!isMetadata(metadata))
    throw new TypeError('The metadata is not a flat object of strings, finite numbers and booleans.')
  const length = Buffer.byteLength(JSON.stringify(metadata))
  if (length > MAX_LENGTH) {
    throw new RangeError(`The metadata has ${length} bytes as JSON. At most ${MAX_LENGTH} are accepted.`)
  }
  return metadata
}

export function isMetadata(value: unknown): value is UploadMetadata {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject && Object.values(value).every(isPlain)
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
}

/**
 * Returns the entries of an upload's metadata that its object gets: those whose names contain no dot.
 *
 * @example
 * objectMetadata({ title: 'Ferry', 'tus.length': 7 }) // { title: 'Ferry' }
 */
export function objectMetadata(metadata: UploadMetadata): UploadMetadata {
  const names = Object.keys(metadata)
  if (!names.some((name) => name.includes('.'))) return metadata
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !name.includes('.')))
}

/**
 * Returns `metadata` if it can be stored with an object.
 *
 * @throws TypeError, RangeError as `checkMetadata`; TypeError also if a name contains a dot
 */
export function checkObjectMetadata(metadata: UploadMetadata): UploadMetadata {
  const name = Object.keys(checkMetadata(metadata)).find((each) => each.includes('.'))
  if (name === undefined) return metadata
  throw new TypeError(
    `The name ${JSON.stringify(name)} of an object's metadata contains a dot. Choose a name without a dot.`,
  )
}
