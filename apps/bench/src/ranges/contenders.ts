import {
  COLD,
  FAR,
  HEAD,
  KINDS,
  type Kind,
  LARGE,
  MIDDLE,
  NEAR,
  NOT_MODIFIED,
  SEVERAL,
  SMALL,
} from './kinds.ts'

export interface Contender {
  readonly name: string
  /** The module to fork. */
  readonly server: URL
  /** Which of several servers the module is to be (empty: there is only one). */
  readonly mode: string
  /** Where it takes the files from: a directory of them, or a store. */
  readonly source: 'files' | 'store'
  /** The path of a file up to its name. */
  readonly path: string
  /** What it is asked for. */
  readonly kinds: readonly Kind[]
  /** Whether its answer is one byte, whatever it is asked for. */
  readonly answersByte: boolean
  /** Kinds at which it may not finish a request within a cell. */
  readonly slowAt: readonly Kind[]
  /** Whether a wrong answer ends the bench, not just this contender's part in it. */
  readonly ours: boolean
}

const SPARSE_KINDS: readonly Kind[] = [NEAR, FAR]
const PLAIN_KINDS = KINDS.filter((kind) => !SPARSE_KINDS.includes(kind))

const DEFAULTS = {
  mode: '',
  source: 'files',
  path: '/',
  kinds: PLAIN_KINDS,
  answersByte: false,
  slowAt: [],
  ours: false,
} as const

function serverModule(name: string): URL {
  return new URL(`../servers/${name}.js`, import.meta.url)
}

const COMPOSED = {
  ...DEFAULTS,
  server: serverModule('composed-server'),
  kinds: PLAIN_KINDS.filter((kind) => kind !== COLD),
  ours: true,
} as const

/** What people run. */
export const SERVER: Contender = {
  ...COMPOSED,
  name: 'koa-range-server, --log-level error',
  mode: 'store:error',
  source: 'store',
  path: '/videos/',
}

const LOGGING_SERVER: Contender = {
  ...COMPOSED,
  name: 'koa-range-server, a log line per request',
  mode: 'store:',
  source: 'store',
  path: '/videos/',
}

export const ASSETS: Contender = {
  ...COMPOSED,
  name: 'koa-range-server, /assets, --log-level error',
  mode: 'assets:error',
  path: '/assets/',
}

export const NGINX: Contender = {
  ...DEFAULTS,
  name: 'nginx, sendfile',
  server: serverModule('nginx'),
  kinds: KINDS,
}

export const SIRV: Contender = {
  ...DEFAULTS,
  name: 'sirv 3',
  server: serverModule('sirv'),
  // It reads all of the file, and Node throws it away.
  slowAt: [HEAD],
}

const FASTIFY: Contender = {
  ...DEFAULTS,
  name: '@fastify/static 10',
  server: serverModule('fastify-static'),
}

const EXPRESS: Contender = {
  ...DEFAULTS,
  name: 'express.static 5',
  server: serverModule('express-static'),
}

const HONO: Contender = { ...DEFAULTS, name: 'hono serveStatic', server: serverModule('hono-static') }

/** It reads the file from its first byte on, whatever range is asked for. */
const SLOW_KINDS: readonly Kind[] = [SMALL, MIDDLE, LARGE, SEVERAL]

export const KOA_RANGE: Contender = {
  ...DEFAULTS,
  name: 'koa-static + koa-range',
  server: serverModule('koa-range'),
  kinds: PLAIN_KINDS.filter((kind) => kind !== COLD),
  slowAt: SLOW_KINDS,
}

/** The ceiling of everything that is built on Node's HTTP. */
export const BARE_HTTP: Contender = {
  ...DEFAULTS,
  name: 'bare node:http, one byte',
  server: serverModule('bare-http'),
  kinds: [SMALL, NOT_MODIFIED],
  answersByte: true,
}

/** The ceiling of everything that is built on Koa. */
export const BARE_KOA: Contender = {
  ...DEFAULTS,
  name: 'bare Koa, one byte',
  server: serverModule('bare-koa'),
  kinds: [SMALL, NOT_MODIFIED],
  answersByte: true,
}

export const PLAIN: Contender = {
  ...DEFAULTS,
  name: 'fileContent + serveContent',
  server: serverModule('file-content'),
  kinds: KINDS,
  ours: true,
}

const STATIC: Contender = {
  ...DEFAULTS,
  name: 'koa-static + rangeStream',
  server: serverModule('koa-static'),
  kinds: PLAIN_KINDS.filter((kind) => kind !== COLD),
  ours: true,
}

const STORED: Contender = {
  ...DEFAULTS,
  name: 'stored object + serveContent',
  server: serverModule('stored-object'),
  source: 'store',
  kinds: PLAIN_KINDS.filter((kind) => kind !== COLD),
  ours: true,
}

/** In the order of the tables. */
export const CONTENDERS: readonly Contender[] = [
  SERVER,
  LOGGING_SERVER,
  ASSETS,
  PLAIN,
  STORED,
  STATIC,
  NGINX,
  SIRV,
  HONO,
  EXPRESS,
  FASTIFY,
  KOA_RANGE,
  BARE_KOA,
  BARE_HTTP,
]
