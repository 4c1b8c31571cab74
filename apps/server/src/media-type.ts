import { fileTypeFromBuffer } from 'file-type'

/** What the first bytes of a file say that it is, or `undefined`. */
export async function detectType(head: Uint8Array): Promise<string | undefined> {
  try {
    return (await fileTypeFromBuffer(head))?.mime
  } catch {
    // The detector ran off the end of the head that it was given.
    return undefined
  }
}

/** Types that a browser shows without running anything in them; all others are downloads. */
const INLINE = /^(?:video\/[\w.+-]+|audio\/[\w.+-]+|image\/(?:avif|gif|jpeg|png|webp))$/

export function isInline(type: string): boolean {
  return INLINE.test(type)
}
