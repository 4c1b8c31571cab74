import { expect } from 'vitest'
import { run } from './run.ts'

/** How many stripes a frame has, hence bits its second has. */
export const STRIPES = 8
/** 40 MB of two megabits a second. */
export const DURATION = 160

/**
 * Makes an MP4 whose frames say in stripes which second they show, the lowest bit at the left and white for 1, so that
 * what a player shows tells whether it got the bytes that belong there.
 *
 * @param moov where the index lies: at the end, as ffmpeg and cameras write it, or at the start
 */
export async function makeClockVideo(path: string, moov: 'start' | 'end'): Promise<void> {
  const stripes = Array.from({ length: STRIPES }, (_, bit) => {
    const when = `gt(bitand(floor(t)\\,${2 ** bit})\\,0)`
    return `drawbox=x=iw*${bit}/${STRIPES}:y=0:w=iw/${STRIPES}:h=ih:color=white:t=fill:enable='${when}'`
  })
  const source = [`color=black:size=320x180:rate=15:duration=${DURATION}`, ...stripes].join(',')
  // Flat stripes take next to nothing: filler brings the file to the size of a real one.
  const rate = ['-b:v', '2M', '-minrate', '2M', '-maxrate', '2M', '-bufsize', '1M', '-g', '30']
  const encoding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', ...rate]
  const place = moov === 'start' ? ['-movflags', '+faststart'] : []
  const { code, stderr } = await run('ffmpeg', [
    ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', source, ...encoding],
    ...['-x264-params', 'nal-hrd=cbr:filler=1', ...place, path],
  ])
  expect({ code, stderr }).toMatchObject({ code: 0 })
}

/** Filters that make a pixel of each stripe, for `secondsOf`. */
export const TO_STRIPES = `scale=${STRIPES}:1,format=gray`

/** The second that each of the frames shows, which are raw and as TO_STRIPES makes them. */
export function secondsOf(frames: Uint8Array): number[] {
  return Array.from({ length: frames.length / STRIPES }, (_, frame) =>
    frames
      .subarray(frame * STRIPES, (frame + 1) * STRIPES)
      .reduce((second, light, bit) => second + (light > 127 ? 2 ** bit : 0), 0),
  )
}
