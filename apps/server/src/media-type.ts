import { fileTypeFromBuffer } from 'file-type'
import { beginsCaptions, CAPTIONS } from './captions.ts'

/** What the first bytes of a file say that it is, or `undefined`. */
export async function detectType(head: Uint8Array): Promise<string | undefined> {
  if (beginsCaptions(head)) return CAPTIONS
  try {
    const mime = (await fileTypeFromBuffer(head))?.mime
    return mime === 'audio/mpeg' && !isMpegAudio(head) ? undefined : mime
  } catch {
    // The detector ran off the end of the head that it was given.
    return undefined
  }
}

/**
 * The detector takes any 11 set bits for the beginning of an MPEG audio frame, the byte order mark of UTF-16 among them, and
 * with it HTML. Layer I, which nobody uses, and the values that ISO/IEC 11172-3 reserves give those away.
 */
function isMpegAudio(head: Uint8Array): boolean {
  const [first, second = 0, third = 0] = head
  if (first !== 0xff) return true
  const [layer, bitrate, sampleRate] = [(second >> 1) & 3, third >> 4, (third >> 2) & 3]
  return layer !== 3 && layer !== 0 && bitrate !== 15 && sampleRate !== 3
}

/** Types that a browser shows without running anything in them; all others are downloads. */
const INLINE = /^(?:video\/[\w.+-]+|audio\/[\w.+-]+|image\/(?:avif|gif|jpeg|png|webp))$/

export function isInline(type: string): boolean {
  return INLINE.test(type)
}
