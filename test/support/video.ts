import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/**
 * Makes a real MP4 (H.264) with ffmpeg.
 *
 * @param seconds its duration
 */
export async function makeVideo(path: string, seconds = 2, size = '320x180'): Promise<void> {
  const source = `testsrc=size=${size}:rate=15:duration=${seconds}`
  const encoding = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-pix_fmt',
    'yuv420p',
    '-movflags',
    '+faststart',
  ]
  await promisify(execFile)('ffmpeg', [
    '-nostdin',
    '-v',
    'error',
    '-y',
    '-f',
    'lavfi',
    '-i',
    source,
    ...encoding,
    path,
  ])
}
