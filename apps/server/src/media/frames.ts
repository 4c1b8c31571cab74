import { isMarkup } from './text.ts'

/** What the header of a frame says: the length of the frame in bytes, and the fields that all frames of a stream share. */
interface Frame {
  readonly length: number
  readonly stream: number
}

/** Reads the header of a frame at `at`; `null` if no frame begins there. */
type ReadFrame = (head: Uint8Array, at: number) => Frame | null

/** Bit rates in kbit/s by bitrate_index, of MPEG-1 and of MPEG-2 and 2.5; 0 is not a frame that can be followed. */
const BIT_RATES = {
  layer2: [
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0],
  ],
  layer3: [
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0],
  ],
} as const

/** Of MPEG-1, in Hz; MPEG-2 has half of it, MPEG-2.5 a quarter. */
const SAMPLE_RATES = [44_100, 48_000, 32_000] as const

/** MP3 and MP2: ISO/IEC 11172-3 §2.4.1.3. Layer I, which no encoder writes, and free-format frames are not read. */
const mpegAudio: ReadFrame = (head, at) => {
  const [first = 0, second = 0, third = 0] = head.subarray(at, at + 3)
  if (first !== 0xff || second < 0xe0) return null
  const [version, layer] = [(second >> 3) & 3, (second >> 1) & 3]
  const sampleRate = SAMPLE_RATES[(third >> 2) & 3]
  if (version === 1 || (layer !== 1 && layer !== 2) || sampleRate === undefined) return null
  const isFirst = version === 3
  const bitRate = BIT_RATES[layer === 1 ? 'layer3' : 'layer2'][isFirst ? 0 : 1][third >> 4] ?? 0
  if (bitRate === 0) return null
  const samples = layer === 1 && !isFirst ? 576 : 1152
  const rate = sampleRate / (isFirst ? 1 : version === 2 ? 2 : 4)
  const length = Math.floor(((samples / 8) * bitRate * 1000) / rate) + ((third >> 1) & 1)
  return { length, stream: (second << 8) | (third & 0x0c) }
}

/** AAC in ADTS: ISO/IEC 13818-7 §6.2. */
const adts: ReadFrame = (head, at) => {
  const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0, sixth = 0] = head.subarray(at, at + 6)
  if (first !== 0xff || (second & 0xf6) !== 0xf0 || ((third >> 2) & 15) > 12) return null
  const length = ((fourth & 3) << 11) | (fifth << 3) | (sixth >> 5)
  return length < 7 ? null : { length, stream: (second << 16) | ((third & 0xfd) << 8) | (fourth & 0xc0) }
}

/** MPEG-2 transport stream: ISO/IEC 13818-1 §2.4.3.2; Blu-ray puts 4 bytes before each packet. */
const packet =
  (length: number): ReadFrame =>
  (head, at) =>
    head[at] === 0x47 ? { length, stream: 0 } : null

/** A pack header or a packet of an MPEG program stream: ISO/IEC 13818-1 §2.5.3, and 11172-1 §2.4.3 with a header of 12 bytes. */
const programPart: ReadFrame = (head, at) => {
  const [zero, alsoZero, one, id = 0, flags = 0, low = 0] = head.subarray(at, at + 6)
  if (zero !== 0 || alsoZero !== 0 || one !== 1 || id < 0xba) return null
  if (id > 0xba) return { length: 6 + ((flags << 8) | low), stream: 0 }
  return { length: flags >> 6 === 1 ? 14 + ((head[at + 13] ?? 0) & 7) : 12, stream: 0 }
}

const STREAMS: readonly { readonly type: string; readonly read: ReadFrame; readonly least: number }[] = [
  { type: 'audio/mpeg', read: mpegAudio, least: 2 },
  { type: 'audio/aac', read: adts, least: 3 },
  { type: 'video/mp2t', read: packet(188), least: 8 },
  { type: 'video/mp2t', read: packet(192), least: 8 },
  { type: 'video/mpeg', read: programPart, least: 2 },
]

/**
 * Returns the type of a stream of frames that begins anywhere in `head`, or `null`: recorders cut streams in the middle of
 * a frame, and editors put zeros before the first one. One frame proves nothing, because its header is 11 set bits, which
 * the byte order mark of UTF-16 has too; so several frames in a row must fit, and no markup may come before them.
 */
export function frameType(head: Uint8Array): string | null {
  for (const stream of STREAMS) {
    for (let at = 0; at < head.length; at++) {
      if (framesInRow(head, at, stream.read) < stream.least) continue
      // Four bytes may be a time, in front of the first packet of Blu-ray.
      return at > 4 && isMarkup(head.subarray(0, at)) ? null : stream.type
    }
  }
  return null
}

/** How the data after the last frame of a song begins: tags, or zeros. */
const END = ['TAG', 'APETAGEX', 'LYRICSBEGIN', 'ID3', '\0\0\0\0\0\0']

function isEnd(head: Uint8Array, at: number): boolean {
  const text = Buffer.from(head.subarray(at, at + 11)).toString('latin1')
  return END.some((start) => text.startsWith(start))
}

/**
 * Counts the frames of one stream that follow each other from `at` on, up to the end of the song; 0 if one of them in `head`
 * does not fit.
 */
function framesInRow(head: Uint8Array, at: number, read: ReadFrame): number {
  const first = read(head, at)
  if (first === null) return 0
  let count = 1
  for (let next = at + first.length; next + 6 <= head.length; count++) {
    const frame = read(head, next)
    if (frame === null && isEnd(head, next)) break
    if (frame?.stream !== first.stream) return 0
    next += frame.length
  }
  return count
}
