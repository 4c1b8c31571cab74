import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createApp, loadConfig, openStore } from 'koa-range-server'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { listenOn } from '../support/app.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { describeWith } from '../support/tools.ts'

/** The URL of a server with the default --accept, opened as a program of a user opens it. */
async function start(): Promise<string> {
  const config = loadConfig(['--log-level', 'silent', '--data', await temporaryDirectory()], {})
  const store = await openStore(config)
  onTestFinished(() => store.close())
  return listenOn(createApp(config, store))
}

/** The type with which the server stores `content`, or the status of its refusal. */
async function storedType(url: string, content: Uint8Array): Promise<string | number> {
  const response = await fetch(`${url}/videos/a`, { method: 'PUT', body: new Uint8Array(content) })
  const { type } = (await response.json()) as { readonly type?: string }
  return response.ok ? String(type) : response.status
}

function box(name: string, content: Uint8Array | number): Buffer {
  const body = typeof content === 'number' ? Buffer.alloc(content) : content
  const header = Buffer.alloc(8)
  header.writeUInt32BE(8 + body.length)
  header.write(name, 4, 'latin1')
  return Buffer.concat([header, body])
}

/** A page of Ogg (RFC 3533 §6) without its checksum, which is not read here. */
function oggPage(packet: Uint8Array): Buffer {
  const header = Buffer.alloc(28)
  header.write('OggS')
  header[5] = 2
  header[26] = 1
  header[27] = packet.length
  return Buffer.concat([header, packet])
}

/** An empty tag of ID3v2 with `size` bytes of padding, less than 16 KiB. */
function id3Tag(size: number): Buffer {
  return Buffer.concat([
    Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, size >> 7, size & 127]),
    Buffer.alloc(size),
  ])
}

const SKELETON = oggPage(Buffer.from(`fishead\0${'\0'.repeat(56)}`))
const HTML = Buffer.from('<!doctype html><html><script>alert(1)</script></html>')

describeWith(['ffmpeg'], 'under the default --accept, a playable file is stored', () => {
  const films = new Map<string, Buffer>()
  const film = (name: string) => films.get(name) ?? Buffer.alloc(0)

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'koa-range-films-'))
    const picture = ['-f', 'lavfi', '-i', 'testsrc=size=160x120:duration=1', '-pix_fmt', 'yuv420p']
    const sound = ['-f', 'lavfi', '-i', 'sine=duration=2']
    const commands: Readonly<Record<string, readonly string[]>> = {
      'film.mp4': picture,
      'film.mov': picture,
      'film.ts': picture,
      'film.m2ts': picture,
      'film.mpg': picture,
      'film.ogv': [...picture, '-c:v', 'libtheora'],
      'film.wmv': [...picture, '-c:v', 'wmv2', '-metadata', `comment=${'x'.repeat(6000)}`],
      'song.oga': [...sound, '-c:a', 'flac'],
      'song.mp3': [...sound, '-id3v2_version', '0', '-write_xing', '0'],
      'song.aac': sound,
      'silence.mp3': [
        ...['-f', 'lavfi', '-i', 'anullsrc=duration=2'],
        ...['-id3v2_version', '0', '-write_xing', '0'],
      ],
      'song.wav': [...sound, '-rf64', 'always'],
    }
    for (const [name, args] of Object.entries(commands)) {
      const path = join(directory, name)
      await promisify(execFile)('ffmpeg', ['-nostdin', '-v', 'error', ...args, path])
      films.set(name, await readFile(path))
    }
    await rm(directory, { recursive: true })
  })

  const variants: readonly (readonly [name: string, type: string, content: () => Buffer])[] = [
    ['Ogg with Skeleton before a video', 'video/ogg', () => Buffer.concat([SKELETON, film('film.ogv')])],
    ['Ogg with Skeleton before a sound', 'audio/ogg', () => Buffer.concat([SKELETON, film('song.oga')])],
    ['WMV with more than 4 KiB of metadata', 'video/x-ms-asf', () => film('film.wmv')],
    ['MP3', 'audio/mpeg', () => film('song.mp3')],
    ['MP3 after zeros', 'audio/mpeg', () => Buffer.concat([Buffer.alloc(700), film('song.mp3')])],
    ['MP3 after padding', 'audio/mpeg', () => Buffer.concat([Buffer.alloc(300, 0xff), film('song.mp3')])],
    ['MP3 that begins in the middle of a frame', 'audio/mpeg', () => film('song.mp3').subarray(150)],
    [
      'MP3 that begins in the middle of a frame of silence',
      'audio/mpeg',
      () => film('silence.mp3').subarray(150),
    ],
    [
      'MP3 after two ID3 tags',
      'audio/mpeg',
      () => Buffer.concat([id3Tag(10), id3Tag(5000), film('song.mp3')]),
    ],
    [
      'Blu-ray MPEG-TS whose first time looks like text',
      'video/mp2t',
      () => Buffer.concat([Buffer.from(' AB1'), film('film.m2ts').subarray(4)]),
    ],
    [
      'MPEG program stream after zeros',
      'video/mpeg',
      () => Buffer.concat([Buffer.alloc(500), film('film.mpg')]),
    ],
    [
      'MPEG program stream that begins in the middle of a packet',
      'video/mpeg',
      () => film('film.mpg').subarray(100),
    ],
    [
      'QuickTime that begins with junk',
      'video/quicktime',
      () => Buffer.concat([box('junk', 50), film('film.mov')]),
    ],
    ['AAC that begins in the middle of a frame', 'audio/aac', () => film('song.aac').subarray(50)],
    ['MPEG-TS that begins in the middle of a packet', 'video/mp2t', () => film('film.ts').subarray(100)],
    [
      'QuickTime that begins with skip',
      'video/quicktime',
      () => Buffer.concat([box('skip', 50), film('film.mov')]),
    ],
    [
      'QuickTime after a skip of 50 kB',
      'video/quicktime',
      () => Buffer.concat([box('skip', 50_000), film('film.mov')]),
    ],
    [
      'QuickTime that begins with pnot',
      'video/quicktime',
      () => Buffer.concat([box('pnot', 12), box('PICT', 100), film('film.mov')]),
    ],
    ['MP4 with uuid first', 'video/mp4', () => Buffer.concat([box('uuid', 56), film('film.mp4')])],
    [
      'MP4 with a uuid of 40 kB first',
      'video/mp4',
      () => Buffer.concat([box('uuid', 40_000), film('film.mp4')]),
    ],
    [
      'MP4 with styp first',
      'video/mp4',
      () => Buffer.concat([box('styp', Buffer.from('msdh\0\0\0\0msdh')), film('film.mp4')]),
    ],
    ['MP4 with free first', 'video/mp4', () => Buffer.concat([box('free', 20), film('film.mp4')])],
    ['WAV of more than 4 GiB (RF64)', 'audio/wav', () => film('song.wav')],
  ]

  it.each(variants)('%s is stored as %s', async (_, type, content) => {
    const url = await start()
    expect(content().length).toBeGreaterThan(4096)
    expect(await storedType(url, content())).toBe(type)
  })

  it.each([
    ['ID3v1', Buffer.from(`TAG${' '.repeat(125)}`)],
    ['APE', Buffer.from('APETAGEX\xd0\x07\0\0'.padEnd(32, '\0'), 'latin1')],
  ])('a song of less than 4 KiB that ends in a tag of %s is stored as audio/mpeg', async (_, tag) => {
    const url = await start()
    const frames = film('song.mp3')
    const end = [1, 2, 3].reduce((at) => frames.indexOf(frames.subarray(0, 2), at + 1), 0)
    expect(end).toBeLessThan(2000)
    expect(await storedType(url, Buffer.concat([frames.subarray(0, end), tag]))).toBe('audio/mpeg')
  })

  it('but one frame of MP3 with a page after it is refused', async () => {
    const url = await start()
    const frames = film('song.mp3')
    const second = frames.indexOf(frames.subarray(0, 2), 2)
    expect(await storedType(url, Buffer.concat([frames.subarray(0, second), HTML]))).toBe(415)
    // A player would skip the page and play; a browser that guesses would run it.
    expect(await storedType(url, Buffer.concat([HTML, frames]))).toBe(415)
    expect(await storedType(url, Buffer.concat([Buffer.from('#!/bin/sh\n\0'), frames]))).toBe(415)
    const image = Buffer.from('<img src=x onerror=alert(1)>\0')
    expect(await storedType(url, Buffer.concat([image, frames]))).toBe(415)
  })
})

describe('under the default --accept, a page or a script is refused', () => {
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(HTML.toString().repeat(60), 'utf16le')])

  it.each([
    ['HTML', HTML],
    ['HTML in UTF-16 with a byte order mark', utf16],
    ['HTML that begins like FLAC', Buffer.concat([Buffer.from('fLaC'), HTML])],
    ['a script that begins like AMR', Buffer.from('#!AMR\nalert(1)')],
    ['a script that begins like AC-3', Buffer.from('\x0bw=alert(1)')],
    ['HTML that begins like ADTS', Buffer.concat([Buffer.from([0xff, 0xf1]), HTML])],
    ['HTML after an empty tag of ID3', Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\0'), HTML])],
    ['HTML whose comment spells a box of QuickTime', Buffer.from('<!--skip--><script>alert(1)</script>')],
    [
      'HTML whose first bytes spell a box after a line feed',
      Buffer.from('\n<!uuid--><script>alert(1)</script>'),
    ],
    ...['ftypisom', 'free', 'mdat', 'moov'].map((name): [string, Buffer] => [
      `HTML with a NUL whose first bytes spell ${name}`,
      Buffer.from(`<!--${name}\0--><script>alert(1)</script>`),
    ]),
    [
      'a text with a NUL that has a G at the beginning of two packets of MPEG-TS',
      Buffer.from(`G${'='.repeat(187)}G\0${'x'.repeat(500)}`),
    ],
    ['HTML after a box of QuickTime', Buffer.concat([box('skip', 8), HTML])],
    ['an Ogg page without a known stream', oggPage(Buffer.from('fishead\0'))],
  ])('%s gets 415', async (_, content) => {
    const url = await start()
    expect(await storedType(url, content)).toBe(415)
  })
})
