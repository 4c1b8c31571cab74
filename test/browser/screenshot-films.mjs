// What the screenshots show: films that look like something, made by ffmpeg.
import { execFile } from 'node:child_process'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const gradients = (size, more) => `gradients=s=${size}:nb_colors=4:r=24:${more}`

/** Name, seconds, source, filter. */
const FILMS = [
  [
    'evening ferry.mp4',
    95,
    gradients('1280x720', 'c0=0x14213d:c1=0xfca311:c2=0xe5383b:c3=0x6a4c93:seed=12:speed=0.004:type=radial'),
  ],
  [
    'northern lights, uncut.mp4',
    64,
    gradients('1280x720', 'c0=0x00131f:c1=0x0b7a75:c2=0x19e3b1:c3=0x3b1d6e:seed=7:speed=0.012:type=spiral'),
  ],
  [
    'colony in a dish.mp4',
    48,
    'life=s=160x90:mold=12:r=24:ratio=0.14:death_color=0x123c69:life_color=0xffd166:mold_color=0x06141f:seed=4',
    'scale=640:360:flags=neighbor',
  ],
  [
    'a dive into the set.mp4',
    24,
    'mandelbrot=s=640x360:rate=24:start_scale=0.02:end_scale=0.0002:end_pts=480:inner=black',
    'hue=h=210:s=0.55',
  ],
  [
    'first light (take 3).mp4',
    71,
    gradients(
      '640x360',
      'c0=0x03045e:c1=0x0077b6:c2=0xffb703:c3=0xfb8500:x0=320:y0=0:x1=320:y1=360:seed=3:speed=0.003',
    ),
  ],
]

const CAPTIONS = `WEBVTT

00:00.000 --> 00:30.000
The last boat leaves at half past nine.

00:30.000 --> 01:30.000
By then the sun is gone, and the harbour lights are on.
`

/** Writes them all, captions and a recording too; resolves to their names. */
export async function makeFilms(directory) {
  for (const [name, seconds, source, filter = 'null'] of FILMS) {
    const input = ['-f', 'lavfi', '-i', source, '-t', String(seconds), '-vf', filter]
    const coding = [
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-crf',
      '20',
      '-pix_fmt',
      'yuv420p',
      '-g',
      '48',
    ]
    await ffmpeg([...input, ...coding, '-movflags', '+faststart', join(directory, name)])
  }
  const tone = ['-f', 'lavfi', '-i', 'sine=frequency=220:duration=754', '-c:a', 'aac', '-b:a', '48k']
  await ffmpeg([...tone, join(directory, 'entrevista nº 3.m4a')])
  await writeFile(join(directory, 'evening ferry.mp4.vtt'), CAPTIONS)
  return [...FILMS.map(([name]) => name), 'entrevista nº 3.m4a', 'evening ferry.mp4.vtt']
}

/** 256 colours are enough for a page, and a third of the bytes. */
export async function shrink(path) {
  const palette = 'split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=dither=sierra2_4a'
  await ffmpeg(['-i', path, '-vf', palette, '-frames:v', '1', `${path}.small.png`])
  await rename(`${path}.small.png`, path)
}

const ffmpeg = (args) => promisify(execFile)('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args])
