import { closeSync, ftruncateSync, mkdirSync, openSync, utimesSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

/** What a file holds, made on demand: one of them has 5 GiB. */
export interface FileContent {
  /** In bytes. */
  readonly size: number
  /** The bytes from `start` up to, not including, `end`. */
  slice(start: number, end: number): Buffer
}

interface Fixture extends FileContent {
  /** Where anything but zeros stands, for a file with holes. */
  readonly islands?: readonly number[]
  /** ms since the epoch (`MODIFIED`). */
  readonly modified?: number
  /** Has a sibling with gzip applied. */
  readonly gzipped?: true
}

const MIB = 1024 * 1024

/** With a fraction of a second, which Last-Modified has to drop, and a one-digit day, which asctime pads with a space. */
const MODIFIED = Date.UTC(2019, 4, 6, 7, 8, 9, 750)

const SECRET = 'not for the public'

/** Every line says where it stands, so that bytes from a wrong offset show. */
function text(size: number): FileContent {
  const lines = Array.from(
    { length: Math.ceil(size / 20) },
    (_, at) => `line ${String(at).padStart(6, '0')} of this\n`,
  )
  return fixed(Buffer.from(lines.join('')).subarray(0, size))
}

/** 32-bit words that count up. */
function counting(size: number, head = ''): FileContent {
  const bytes = Buffer.alloc(Math.ceil(size / 4) * 4)
  for (let word = 0; word < bytes.length / 4; word++)
    bytes.writeUInt32BE(Math.imul(word, 0x01_00_01_93) >>> 0, word * 4)
  bytes.write(head, 'latin1')
  return fixed(bytes.subarray(0, size))
}

export function fixed(bytes: Buffer): FileContent {
  return { size: bytes.length, slice: (start, end) => bytes.subarray(start, end) }
}

function zeros(size: number): FileContent {
  return { size, slice: (start, end) => Buffer.alloc(end - start) }
}

const ISLAND = Buffer.from('here is an island of 32 bytes.\n\n')
const SPARSE_SIZE = 5 * 1024 * MIB + 3

/** Zeros, but around the offsets at which 31- and 32-bit numbers end, and at both ends of the file. */
function sparse(): Fixture {
  const islands = [0, 2 ** 31 - 16, 2 ** 32 - 16, SPARSE_SIZE - ISLAND.length]
  const slice = (start: number, end: number) => {
    const bytes = Buffer.alloc(end - start)
    for (const at of islands) {
      const [from, to] = [Math.max(at, start), Math.min(at + ISLAND.length, end)]
      if (from < to) ISLAND.copy(bytes, from - start, from - at, to - at)
    }
    return bytes
  }
  return { size: SPARSE_SIZE, slice, islands }
}

const page = Buffer.from(
  `<!doctype html>\n<title>A page</title>\n${'<p>A paragraph of it.</p>\n'.repeat(100)}`,
)
const FTYP = '\0\0\0\x18ftypisom\0\0\x02\0isommp41'

export const FILES: Record<string, Fixture> = {
  'letters.txt': text(1000),
  'empty.txt': fixed(Buffer.alloc(0)),
  'one.txt': fixed(Buffer.from('!')),
  'ten-mib.bin': counting(10 * MIB),
  'clip.mp4': counting(150_001, FTYP),
  'page.html': fixed(page),
  'folder/inner.txt': text(400),
  'naïve 日本語.txt': text(345),
  'a+b & 50%, c#d;e=f?g.txt': text(234),
  'coded.txt': { ...text(30_000), gzipped: true },
  'sparse.bin': sparse(),
  'future.txt': { ...text(100), modified: Date.UTC(2037, 0, 2, 3, 4, 5) },
  'old.txt': { ...text(100), modified: Date.UTC(1965, 0, 2, 3, 4, 5) },
}

/** Files that cases change, one for each such case, since a server may remember what it saw. */
for (let number = 1; number <= 14; number++) Object.assign(FILES, { [`changing-${number}.txt`]: text(2000) })
/** More than any buffer between two processes holds, so that a change finds the response under way. */
for (let number = 1; number <= 5; number++)
  Object.assign(FILES, { [`draining-${number}.bin`]: { ...zeros(64 * MIB), islands: [] } })

/** Writes one file as it was at first. */
function writeFixture(root: string, name: string): void {
  const fixture = FILES[name]
  if (fixture === undefined) throw new Error(`There is no fixture ${name}`)
  const path = join(root, name)
  mkdirSync(dirname(path), { recursive: true })
  if (fixture.islands === undefined) writeFileSync(path, fixture.slice(0, fixture.size))
  else writeSparse(path, fixture.size, fixture.islands)
  const modified = new Date(fixture.modified ?? MODIFIED)
  utimesSync(path, modified, modified)
  if (fixture.gzipped === true) {
    writeFileSync(`${path}.gz`, gzipSync(fixture.slice(0, fixture.size)))
    utimesSync(`${path}.gz`, modified, modified)
  }
}

function writeSparse(path: string, size: number, islands: readonly number[]): void {
  const file = openSync(path, 'w')
  ftruncateSync(file, size)
  for (const at of islands) writeSync(file, ISLAND, 0, ISLAND.length, at)
  closeSync(file)
}

/**
 * Makes the files of the suite.
 *
 * @returns the directory to serve, inside `directory`, where there is also what must not be served
 */
export function makeFixtures(directory: string): string {
  const root = join(directory, 'root')
  for (const name of Object.keys(FILES)) writeFixture(root, name)
  writeFileSync(join(directory, 'secret.txt'), SECRET)
  // Its name begins as the root's: a comparison of prefixes without the slash would let it through.
  mkdirSync(join(directory, 'root-private'), { recursive: true })
  writeFileSync(join(directory, 'root-private', 'secret.txt'), SECRET)
  return root
}
