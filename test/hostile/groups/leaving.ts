import { expect } from 'vitest'
import type { HostileCase, Step } from '../case.ts'
import { bytesOf, file, form, part, post, put, putHead, request } from '../request.ts'
import { get, holds } from '../stored.ts'
import type { Target } from '../target.ts'

/** Time for the server to take in what was sent. */
const A_MOMENT: Step = { pause: 60 }

const BIG = Buffer.alloc(500_000, 'big ')
const FORM = form(part('name="title"', 'Title'), file(BIG, 'gone.mp4'))
/** A form of half a megabyte. */
export const UPLOAD: Buffer = post(FORM)
const FULL = putHead('gone', `Content-Length: ${BIG.length}`)
const IN_CHUNKS = putHead('gone', 'Transfer-Encoding: chunked')

/** Where a client may leave, and what it has sent by then. */
const PLACES: readonly (readonly [string, Buffer | string])[] = [
  ['before a byte', ''],
  ['in the request line', 'POST /vi'],
  ['in the header', UPLOAD.subarray(0, 60)],
  ['after the header', UPLOAD.subarray(0, UPLOAD.indexOf('\r\n\r\n') + 4)],
  ['in the first boundary', UPLOAD.subarray(0, UPLOAD.indexOf('--b\r\n') + 2)],
  ['in the header of a part', UPLOAD.subarray(0, UPLOAD.indexOf('title'))],
  ['in a field', UPLOAD.subarray(0, UPLOAD.indexOf('Title') + 2)],
  ['in the header of the file', UPLOAD.subarray(0, UPLOAD.indexOf('gone.mp4'))],
  ['before the first byte of the file', UPLOAD.subarray(0, UPLOAD.indexOf('big '))],
  ['after 4 KiB of the file', UPLOAD.subarray(0, UPLOAD.indexOf('big ') + 4096)],
  ['in the middle of the file', UPLOAD.subarray(0, UPLOAD.length / 2)],
  ['before the last boundary', UPLOAD.subarray(0, UPLOAD.lastIndexOf('\r\n--b--'))],
  ['in the last boundary', UPLOAD.subarray(0, UPLOAD.length - 4)],
  ['after the header of a PUT', FULL],
  ['in the middle of a PUT', bytesOf(FULL, BIG.subarray(0, 250_000))],
  ['a byte before the end of a PUT', bytesOf(FULL, BIG.subarray(1))],
  ['in the size of a chunk', `${IN_CHUNKS}5`],
  ['in a chunk', `${IN_CHUNKS}5\r\nhel`],
  ['between chunks', `${IN_CHUNKS}5\r\nhello\r\n`],
  ['before the last CRLF of the chunks', `${IN_CHUNKS}5\r\nhello\r\n0\r\n`],
]

export const LEAVING: readonly HostileCase[] = PLACES.flatMap(([place, sent]) =>
  (['close', 'half', 'reset'] as const).map((leave) => ({
    name: `${leave === 'half' ? 'its side ends' : leave === 'close' ? 'leaves' : 'resets'} ${place}`,
    steps: [sent, A_MOMENT, { leave }],
    expect: leave === 'half' ? ['none', '400', '408'] : ['none'],
    after: notStored('gone'),
  })),
)

/** Not a byte of it became visible. */
export function notStored(key: string) {
  return async ({ target }: { readonly target: Target }) => {
    for (const name of [key, `${key}.mp4`]) {
      expect((await get(target, `/videos/${name}`)).status).toBe(404)
    }
  }
}

/** Whole uploads of clients that do not wait for the answer: stored or not, but nothing in between. */
export const IMPATIENT: readonly HostileCase[] = [
  {
    name: 'ends its side right behind a form',
    steps: [post(form(file())), { leave: 'half' }],
    expect: ['201', 'none'],
    check: holds('content'),
  },
  {
    name: 'ends its side right behind a PUT',
    steps: [put('half'), { leave: 'half' }],
    expect: ['201', 'none'],
    check: holds('content'),
  },
  {
    name: 'leaves right behind a form',
    steps: [post(form(file())), { leave: 'close' }],
    expect: ['none', '201'],
  },
  { name: 'resets right behind a PUT', steps: [put('reset'), { leave: 'reset' }], expect: ['none'] },
  {
    name: 'resets right behind a form that will be refused',
    steps: [post(form(file(), file())), { leave: 'reset' }],
    expect: ['none'],
  },
  {
    name: 'leaves in mid-answer',
    steps: [request('GET /assets/video/sample.mp4'), { pause: 5 }, { leave: 'reset' }],
    expect: ['none', '200'],
  },
]
