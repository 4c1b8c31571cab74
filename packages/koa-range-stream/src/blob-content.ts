import type { ByteStream, Content } from './content.ts'

/** A Blob or File of any class: Node's, or that of node-fetch, which `instanceof` does not recognise. */
interface BlobLike {
  readonly size: number
  readonly type: string
  slice(start: number, end: number): BlobLike
  stream(): ByteStream
}

/** By its name, as classes of Blobs recognise each other. */
export function isBlob(body: unknown): body is object {
  return /^\[object (?:Blob|File)\]$/.test(Object.prototype.toString.call(body))
}

/** The content of a Blob, or `null` if its class cannot slice it. */
export function blobContent(blob: object): Content | null {
  if (!isSliceable(blob)) return null
  const { size, type } = blob
  return {
    size,
    ...(type === '' ? {} : { type }),
    stream: (range) => (range === undefined ? blob : blob.slice(range.start, range.end + 1)).stream(),
  }
}

function isSliceable(blob: object): blob is BlobLike {
  // A subclass that overrides `stream` alone sends other bytes than the inherited `slice` gives.
  if (ownerOf(blob, 'slice') !== ownerOf(blob, 'stream')) return false
  const { size, type, slice, stream } = blob as Partial<BlobLike>
  if (typeof size !== 'number' || typeof type !== 'string') return false
  if (typeof slice !== 'function' || typeof stream !== 'function') return false
  try {
    return slice.call(blob, size - 1, size).size === Math.min(size, 1)
  } catch {
    return false
  }
}

/** The object on the prototype chain that has the property itself. */
function ownerOf(object: object, name: string): object | null {
  if (Object.hasOwn(object, name)) return object
  const prototype: object | null = Object.getPrototypeOf(object)
  return prototype === null ? null : ownerOf(prototype, name)
}
