/** How the first packet of a stream begins (RFC 5334 §10). */
const VIDEO = ['\x80theora', 'BBCD\0', '\x01video\0', 'OVP80']
const AUDIO = [
  '\x01vorbis',
  'OpusHead',
  'Speex   ',
  '\x7fFLAC',
  'fLaC',
  'CELT    ',
  'PCM     ',
  '\x01audio\0',
]

const HEADER = 27

/**
 * Returns the type of an Ogg file by all streams that begin in `head`: a file may begin with a stream that describes the
 * others (Skeleton), or with the sound of a video. `null` if no stream is a known one.
 *
 * @see RFC 3533 §6 for pages; those that begin streams come first
 */
export function oggType(head: Uint8Array): 'video/ogg' | 'audio/ogg' | null {
  let hasAudio = false
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  for (let at = 0; bytes.toString('latin1', at, at + 4) === 'OggS'; ) {
    const segments = bytes[at + 26] ?? 0
    const body = at + HEADER + segments
    const packet = bytes.toString('latin1', body, body + 8)
    if (VIDEO.some((start) => packet.startsWith(start))) return 'video/ogg'
    hasAudio ||= AUDIO.some((start) => packet.startsWith(start))
    at = body + bytes.subarray(at + HEADER, body).reduce((sum, length) => sum + length, 0)
  }
  return hasAudio ? 'audio/ogg' : null
}
