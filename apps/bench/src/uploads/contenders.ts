/** One way to take an upload in. */
export interface Contender {
  readonly name: string
  /** The module to fork, and which of its servers it should be. */
  readonly server: URL
  readonly mode: string
  /** How it wants the bytes: as a multipart form, or as they are. */
  readonly method: 'POST' | 'PUT'
  /** Whether its answer has to tell the sha-256. */
  readonly hashes: boolean
  /** Where the bytes are stored: as objects of its own GET, or in a file that the answer names. */
  readonly keeps: 'objects' | 'files'
  /** The contender that promises as much about power cuts, which this one is compared to. */
  readonly peer: Contender
}

const OURS = {
  server: new URL('../servers/koa-range-server.js', import.meta.url),
  hashes: true,
  keeps: 'objects',
} as const
const MULTER = {
  server: new URL('../servers/koa-multer.js', import.meta.url),
  method: 'POST',
  keeps: 'files',
} as const

const multer = peerless({
  ...MULTER,
  name: 'koa + @koa/multer diskStorage',
  mode: '',
  hashes: false,
})
const multerSynced = peerless({
  ...MULTER,
  name: 'koa + @koa/multer diskStorage, then fsync',
  mode: 'fsync',
  hashes: false,
})
const oursSynced: Contender = {
  ...OURS,
  name: 'koa-range-server, POST /video',
  mode: 'full',
  method: 'POST',
  peer: multerSynced,
}
const ours: Contender = {
  ...OURS,
  name: "koa-range-server, POST /video, durability: 'none'",
  mode: 'none',
  method: 'POST',
  peer: multer,
}

/** In an order in which peers are neighbours: a disk or host that slows down then slows both. */
export const CONTENDERS: readonly Contender[] = [
  multerSynced,
  oursSynced,
  { ...OURS, name: 'koa-range-server, PUT /videos/:key', mode: 'full', method: 'PUT', peer: multerSynced },
  multer,
  ours,
  {
    ...MULTER,
    name: 'koa + @koa/multer diskStorage that hashes too',
    mode: 'hash',
    hashes: true,
    peer: multer,
  },
]

/** The servers of which the peak memory is measured. */
export const CROWD_CONTENDERS: readonly Contender[] = [multerSynced, oursSynced, multer, ours]

/** One to compare others to. */
function peerless(contender: Omit<Contender, 'peer'>): Contender {
  const self: Contender = {
    ...contender,
    get peer() {
      return self
    },
  }
  return self
}
