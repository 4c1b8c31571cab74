import { fileTypeFromBuffer } from 'file-type'
import { CAPTIONS } from '../shared/video.ts'
import { isFalseBox, readBoxes } from './boxes.ts'
import { beginsCaptions } from './captions.ts'
import { frameType } from './frames.ts'
import { oggType } from './ogg.ts'
import { isMarkup, isText } from './text.ts'

/**
 * Returns the media type that the first 4 KiB of a file show, or `undefined`.
 *
 * file-type knows most formats. It stops at the first box, page or frame, though, so media that begin with padding, with
 * a description or in the middle of a frame are examined further here.
 */
export async function detectType(head: Uint8Array): Promise<string | undefined> {
  if (beginsCaptions(head)) return CAPTIONS
  const type = examine(head, await fileType(head))
  const found = type instanceof Uint8Array ? await fileType(type) : type
  // A text may begin like a film or a song (`fLaC`, `#!AMR`), and is not one.
  return found !== undefined && /^(?:video|audio)\//.test(found) && isText(head) ? undefined : found
}

async function fileType(head: Uint8Array): Promise<string | undefined> {
  try {
    return (await fileTypeFromBuffer(head))?.mime
  } catch {
    // The detector ran past the end of the head that it was given.
    return undefined
  }
}

/** Types that file-type gives by fewer than four bytes. */
const WEAK: ReadonlySet<string> = new Set(['audio/mpeg', 'audio/aac', 'video/mp2t'])

/** Returns the type after a closer look, or the part of the head that file-type is to see. */
function examine(head: Uint8Array, type: string | undefined): string | undefined | Uint8Array {
  const start = Buffer.from(head.subarray(0, 12)).toString('latin1')
  if (start.startsWith('OggS')) return examineOgg(head, type)
  // The head may not reach the descriptions of its streams: a long title or a picture can come first.
  if (type === 'application/vnd.ms-asf') return 'video/x-ms-asf'
  if (/^(?:RF64|BW64)[\s\S]{4}WAVE/.test(start)) return 'audio/wav'
  if (start.startsWith('caff\0\x01')) return 'audio/x-caf'
  if (isFalseBox(head)) return undefined
  const boxes = readBoxes(head)
  if (boxes !== null) return boxes.brandAt === null ? boxes.type : head.subarray(boxes.brandAt)
  if (start.startsWith('ID3')) return afterTag(head, type)
  return type === undefined || WEAK.has(type) ? (frameType(head) ?? undefined) : type
}

function examineOgg(head: Uint8Array, type: string | undefined): string | undefined {
  const found = oggType(head)
  return found === 'video/ogg' || type === 'application/ogg' ? (found ?? undefined) : type
}

/** A tag of ID3v2 is usually longer than the head, and then all that there is to see. Some editors write a second one. */
function afterTag(head: Uint8Array, type: string | undefined): string | undefined {
  let rest = head
  while (Buffer.from(rest.subarray(0, 3)).toString('latin1') === 'ID3') {
    const [a = 0, b = 0, c = 0, d = 0] = rest.subarray(6, 10)
    rest = rest.subarray(10 + ((a << 21) | (b << 14) | (c << 7) | d))
  }
  if (rest.length < TWO_FRAMES) return isMarkup(rest) ? undefined : (type ?? 'audio/mpeg')
  return type === undefined || WEAK.has(type) ? (frameType(rest) ?? undefined) : type
}

/** The longest two frames of MP3, and the padding that editors put before them. */
const TWO_FRAMES = 3500

/** Types that a browser shows without running anything in them; all others are downloads. */
const INLINE = /^(?:video\/[\w.+-]+|audio\/[\w.+-]+|image\/(?:avif|gif|jpeg|png|webp))$/

export function isInline(type: string): boolean {
  return INLINE.test(type)
}
