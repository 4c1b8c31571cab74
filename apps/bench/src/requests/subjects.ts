import { randomBytes } from 'node:crypto'
import type { Send } from './client.ts'
import { type Appends, draft, draftAppends, form, put, tus, tusAppends, tusAtOnce, type Way } from './ways.ts'

/** A server that runs during all rounds. */
export interface Contender {
  readonly name: string
  readonly server: URL
  readonly mode: string
}

/** A kind of request at one server. */
export interface Entry {
  readonly contender: Contender
  readonly label: string
  /** Resolves to a function that sends the request with this number. */
  prepare(send: Send): Promise<(index: number) => Promise<void>>
}

/** What is compared: the first entry is the peer of the others. */
export interface Subject {
  readonly name: string
  /** Requests at once. */
  readonly parallel: number
  readonly entries: readonly Entry[]
}

const serverOf = (name: string) => new URL(`../servers/${name}.js`, import.meta.url)

export const OURS: Contender = {
  name: 'koa-range-server',
  server: serverOf('koa-range-server'),
  mode: 'full',
}
const MULTER: Contender = {
  name: '@koa/multer, then fsync',
  server: serverOf('koa-multer'),
  mode: 'fsync',
}
const TUS: Contender = { name: '@tus/server, no fsync', server: serverOf('tus-server'), mode: '' }

export const CONTENDERS: readonly Contender[] = [OURS, MULTER, TUS]

function uploads(label: string, size: number, contender: Contender, way: Way): Entry {
  // Random bytes, so that no store can share those of another upload; the name so that no upload has that of another.
  const prepare = async (send: Send) => () =>
    way(send, `${randomBytes(12).toString('hex')}.mp4`, randomBytes(size))
  return { contender, label, prepare }
}

function appends(label: string, size: number, contender: Contender, way: Appends): Entry {
  return { contender, label, prepare: (send) => way(send, size) }
}

const sizes: readonly (readonly [string, number])[] = [
  ['100 kB', 100_000],
  ['1 MiB', 1024 ** 2],
]

export const SUBJECTS: readonly Subject[] = [
  ...sizes.flatMap(([name, size]): readonly Subject[] => [
    {
      name: `uploads of ${name}, 16 at once`,
      parallel: 16,
      entries: [
        uploads('form', size, MULTER, form),
        uploads('form', size, OURS, form),
        uploads('PUT', size, OURS, put),
      ],
    },
    {
      name: `resumable uploads of ${name}, 16 at once`,
      parallel: 16,
      entries: [
        uploads('tus: POST, PATCH', size, TUS, tus),
        uploads('tus: POST, PATCH', size, OURS, tus),
        uploads('tus: POST with the bytes', size, TUS, tusAtOnce),
        uploads('tus: POST with the bytes', size, OURS, tusAtOnce),
        uploads('draft: PUT', size, OURS, draft),
      ],
    },
  ]),
  {
    name: 'appends of 100 kB to one upload, one after another',
    parallel: 1,
    entries: [
      appends('tus: PATCH', 100_000, TUS, tusAppends),
      appends('tus: PATCH', 100_000, OURS, tusAppends),
      appends('draft: PATCH', 100_000, OURS, draftAppends),
    ],
  },
]
