import { expect } from 'vitest'
import type { HostileCase, Step } from '../case.ts'
import { Connection } from '../connection.ts'
import { MAX_FILE_SIZE } from '../probed-server.ts'
import { bytesOf, chunked, file, form, post, put, putHead, request } from '../request.ts'
import { holds } from '../stored.ts'
import type { Target } from '../target.ts'
import { notStored, UPLOAD } from './leaving.ts'

const OBJECT = Buffer.alloc(MAX_FILE_SIZE, 'object ')

/** So many as have a descriptor of their own by right: an upload a slot, and the connections of the test. */
const DESCRIPTORS = 300

let flood = 0

/** Sends 1,000 requests at once on one connection and reads nothing: they may cost no more than one after the other. */
function flooded(name: string, one: () => Buffer): HostileCase {
  return {
    name: `${name} on one connection and reads nothing`,
    steps: [request('GET /healthz')],
    expect: ['200'],
    check: async ({ target }) => {
      const connection = await Connection.open(target.url)
      await connection.take(['stop reading', bytesOf(...Array.from({ length: 1000 }, one))])
      let most = 0
      for (let look = 0; look < 10; look++) {
        await connection.take([{ pause: 50 }])
        most = Math.max(most, await target.descriptors())
      }
      await connection.take([{ leave: 'reset' }])
      expect(most).toBeLessThan(DESCRIPTORS)
    },
  }
}

export const DEAF: readonly HostileCase[] = [
  { name: 'stores what it will not read', steps: [put('object', OBJECT)], expect: ['201'] },
  {
    name: 'never reads the answer to an upload',
    steps: ['stop reading', put('deaf'), { pause: 200 }, { leave: 'reset' }],
    expect: ['none'],
  },
  {
    name: 'never reads the answer to a refused upload',
    steps: ['stop reading', UPLOAD.subarray(0, 1000), put('%00'), { pause: 200 }, { leave: 'reset' }],
    expect: ['none'],
  },
  flooded('asks 1,000 times for an object', () => request('GET /videos/object')),
  flooded('stores 1,000 objects', () => put(`flood-${flood++}`, 'x')),
  flooded('sends 1,000 forms', () => post(form(file('x', 'flood.mp4')))),
  {
    name: 'asks 1,000 times for nothing and reads nothing',
    steps: () => [
      'stop reading',
      bytesOf(...Array.from({ length: 1000 }, () => request('GET /videos/none'))),
      { pause: 500 },
      { leave: 'reset' },
    ],
    expect: ['none'],
  },
]

export const PIPELINED: readonly HostileCase[] = [
  {
    name: 'two requests behind a form',
    steps: [bytesOf(post(form(file('p1'))), request('GET /healthz'), request('GET /videos/none'))],
    expect: ['201 200 404'],
  },
  {
    name: 'a request behind a PUT',
    steps: [bytesOf(put('pipelined'), request('DELETE /videos/pipelined'))],
    expect: ['201 204', '201 404'],
  },
  {
    name: 'a request behind a PUT in chunks',
    steps: [
      bytesOf(
        putHead('in-chunks', 'Transfer-Encoding: chunked'),
        chunked('hello', 2),
        request('GET /videos/in-chunks'),
      ),
    ],
    expect: ['201 200', '201 404'],
  },
  // The answer that closes is the last one.
  {
    name: 'a request behind a form that is refused',
    steps: [bytesOf(post(form(file()), { length: 2 ** 40 }), request('GET /healthz'))],
    expect: ['413'],
  },
  {
    name: 'a request behind a PUT to no key',
    steps: [bytesOf(put('%00'), request('GET /healthz'))],
    expect: ['400', '400 200'],
  },
  {
    name: 'a request behind a form of too many parts',
    steps: [bytesOf(post(form(file(), file())), request('GET /healthz'))],
    expect: ['400', '413', '400 200', '413 200'],
  },
  {
    name: 'ten uploads at once',
    steps: [bytesOf(...Array.from({ length: 10 }, (_, at) => put(`ten-${at}`)))],
    expect: [Array(10).fill('201').join(' ')],
  },
  {
    name: 'nonsense behind a GET',
    steps: [bytesOf(request('GET /healthz'), 'nonsense\r\n\r\n')],
    expect: ['200 400', '400'],
  },
]

const SLOW_FORM = post(form(file()))

export const IN_PIECES: readonly HostileCase[] = [
  {
    name: 'a form, a byte at a time',
    steps: () => [...SLOW_FORM].flatMap((byte) => [Buffer.of(byte), { pause: 0 }]),
    expect: ['201'],
    check: holds('content'),
  },
  ...['--b\r\n', '\r\n\r\ncontent', '\r\n--b--', '--b--\r\n', 'filename'].map(
    (mark): HostileCase => ({
      name: `a form that pauses in ${JSON.stringify(mark)}`,
      steps: () => {
        const at = SLOW_FORM.indexOf(mark, 150)
        const cuts = [0, at + 1, at + 2, at + 3, at + 4, SLOW_FORM.length]
        return cuts.slice(1).flatMap((cut, index) => [SLOW_FORM.subarray(cuts[index], cut), { pause: 15 }])
      },
      expect: ['201'],
      check: holds('content'),
    }),
  ),
  {
    name: 'a header that comes in pieces',
    steps: [...'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'].flatMap((letter) => [
      letter,
      { pause: 0 },
    ]),
    expect: ['200'],
  },
]

/** Many at once, in whatever order. */
async function crowd(target: Target, size: number, steps: readonly Step[]): Promise<readonly string[]> {
  const outcomes = Array.from({ length: size }, async () => {
    const connection = await Connection.open(target.url)
    try {
      await connection.take(steps)
      await connection.until(1, 10_000)
      return (
        connection
          .answers()
          .map(({ status }) => status)
          .join(' ') || 'none'
      )
    } finally {
      connection.close()
    }
  })
  return Promise.all(outcomes)
}

export const CROWDS: readonly HostileCase[] = [
  {
    name: 'fifty that leave in mid-file at once',
    steps: [request('GET /healthz')],
    expect: ['200'],
    check: async ({ target }) => {
      const half = [UPLOAD.subarray(0, UPLOAD.length / 2), { pause: 200 }, { leave: 'reset' as const }]
      expect(new Set(await crowd(target, 50, half))).toEqual(new Set(['none']))
      await notStored('gone')({ target })
    },
  },
  {
    name: 'fifty that send the same form at once',
    steps: [request('GET /healthz')],
    expect: ['200'],
    check: async ({ target }) => {
      expect(new Set(await crowd(target, 50, [post(form(file('crowd', 'crowd.mp4')))]))).toEqual(
        new Set(['201']),
      )
    },
  },
  {
    name: 'fifty that are refused at once',
    steps: [request('GET /healthz')],
    expect: ['200'],
    check: async ({ target }) => {
      const outcomes = await crowd(target, 50, [post(form(file('one'), file('two')))])
      expect(outcomes.filter((outcome) => outcome !== '413' && outcome !== '400')).toEqual([])
    },
  },
  {
    name: 'two hundred connections that say nothing',
    steps: [request('GET /healthz')],
    expect: ['200'],
    check: async ({ target }) => {
      const silent = [{ pause: 200 }, { leave: 'reset' as const }]
      expect(new Set(await crowd(target, 200, silent))).toEqual(new Set(['none']))
    },
  },
]
