import { createHash, randomBytes } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { REPOSITORY } from '../support/server.ts'

const SAMPLE = join(REPOSITORY, 'apps/server/assets/video/sample.mp4')
const BLOCK = 1024 ** 2

/**
 * Writes a video of any size: one that plays, and behind it a free box, which players skip.
 *
 * @param size bytes
 * @returns its sha-256 in hex
 */
export async function makeFilm(path: string, size: number): Promise<string> {
  const video = await readFile(SAMPLE)
  const header = Buffer.alloc(8)
  header.writeUInt32BE(size - video.length)
  header.write('free', 4)
  const block = randomBytes(BLOCK)
  const hash = createHash('sha256')
  const file = await open(path, 'w')
  try {
    let left = size
    for (let chunk = Buffer.concat([video, header]); left > 0; chunk = block) {
      const part = chunk.subarray(0, left)
      // A block that is the same as the one before would hide bytes in the wrong place.
      if (chunk === block) block.writeUInt32BE(left)
      hash.update(part)
      await file.write(part)
      left -= part.length
    }
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}
