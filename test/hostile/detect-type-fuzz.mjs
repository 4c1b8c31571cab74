// Shows the server's type detector heads that nobody made by hand, in a worker: one that never returns can be ended.
import { workerData as data, parentPort } from 'node:worker_threads'
import { detectType } from '../../apps/server/dist/media/detect-type.js'

const { runs, seed, samples, current } = data
const HEAD_LENGTH = 4096

/** What formats begin with, and the lengths that parsers trip over. */
const SPICE = [
  ...[
    'ftypisom',
    'ftypqt  ',
    'moov',
    'free',
    'mdat',
    'RIFF',
    'WAVE',
    'AVI ',
    'WEBP',
    'OggS',
    'fLaC',
    'ID3\x04\0\0',
    'FORM',
  ],
  ...[
    '\x1aE\xdf\xa3',
    'webm',
    'matroska',
    'PK\x03\x04',
    'PK\x01\x02',
    '[Content_Types].xml',
    'mimetype',
    'Rar!',
    '7z\xbc\xaf',
  ],
  ...[
    '\x89PNG\r\n\x1a\n',
    'IHDR',
    'IDAT',
    'acTL',
    'GIF89a',
    '\xff\xd8\xff',
    'Exif',
    'II*\0',
    'MM\0*',
    'II\x2b\0',
    'CR\x02',
  ],
  ...[
    '\x30\x26\xb2\x75\x8e\x66\xcf\x11',
    'FLV\x01',
    '\x47',
    '\0\0\x01\xba',
    '\0\0\x01\xb3',
    '\xff\xfb',
    '\xff\xf1',
    '#!AMR',
  ],
  ...[
    '%PDF-',
    '%!PS',
    '<?xml ',
    '<svg',
    '<html',
    '{\\rtf',
    'MZ',
    '\x7fELF',
    '\xca\xfe\xba\xbe',
    '!<arch>\n',
    'ustar',
    'SQLite f',
  ],
  ...[
    '\x1f\x8b\x08',
    'BZh9',
    '\xfd7zXZ\0',
    '\x28\xb5\x2f\xfd',
    'LZIP',
    'BEGIN:VCARD',
    'wOF2',
    'OTTO',
    '\xef\xbb\xbf',
    '\xff\xfe',
  ],
  ...[
    '\0\0\0\0',
    '\xff\xff\xff\xff',
    '\x7f\xff\xff\xff',
    '\x80\0\0\0',
    '\x01\0\0\0\0\0\0\0',
    '\xff\xff\xff\xff\xff\xff\xff\xff',
  ],
].map((text) => Buffer.from(text, 'latin1'))

/** mulberry32: the same heads for the same seed. */
let state = seed
function random(below) {
  state = (state + 0x6d2b79f5) | 0
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) % below
}

function makeHead() {
  const kind = random(4)
  const head = Buffer.alloc(kind === 0 ? random(64) : random(HEAD_LENGTH + 1))
  if (kind === 1) for (let at = 0; at < head.length; at++) head[at] = random(256)
  else if (kind === 2) head.set(samples[random(samples.length)].subarray(0, head.length))
  else
    for (let at = 0; at < head.length; )
      at += SPICE[random(SPICE.length)].copy(head, at) + random(3) * random(8)
  mutate(head)
  return head
}

function mutate(head) {
  if (head.length === 0) return
  if (random(2) === 0) SPICE[random(SPICE.length)].copy(head, 0)
  if (random(3) === 0) SPICE[random(SPICE.length)].copy(head, Math.min(4, head.length))
  for (let count = random(6); count > 0; count--) SPICE[random(SPICE.length)].copy(head, random(head.length))
  for (let count = random(6); count > 0; count--) head[random(Math.min(64, head.length))] ^= 1 << random(8)
}

const found = { types: new Set(), faults: [], slowest: 0, slowestHead: '' }
for (let run = 0; run < runs; run++) {
  const head = makeHead()
  Atomics.store(current, 0, run)
  const started = performance.now()
  try {
    const type = await detectType(head)
    if (type !== undefined && !/^[\w.+-]+\/[\w.+-]+$/.test(type)) throw new Error(`no type: ${type}`)
    found.types.add(type)
  } catch (error) {
    found.faults.push(`${error}: ${head.toString('hex')}`)
  }
  const took = performance.now() - started
  if (took > found.slowest) {
    found.slowest = took
    found.slowestHead = head.toString('hex', 0, 64)
  }
}
parentPort.postMessage(found)
