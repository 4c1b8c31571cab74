import { chmodSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

export interface DiskFile {
  /** Relative to the store's directory. */
  readonly path: string
  readonly inode: number
}

export interface DiskRecord {
  readonly path: string
  readonly key: string
  /** The name of its blob. */
  readonly blob: string
}

/** Every file of a store, whatever it is. */
export function filesBelow(directory: string): DiskFile[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((path) => ({ path, stat: lstatSync(join(directory, path)) }))
    .filter(({ stat }) => !stat.isDirectory())
    .map(({ path, stat }) => ({ path, inode: stat.ino }))
}

/** What the records name; one that cannot be read names nothing. */
export function recordsBelow(directory: string): DiskRecord[] {
  const paths = filesBelow(directory).filter(({ path }) => /^records\/..\/[^/]+\.json$/.test(path))
  return paths.flatMap(({ path }) => {
    const text = readFileSync(join(directory, path), 'utf8')
    const [, key, blob] = /^\{"key":"([^"]*)","blob":"([^"]*)"/.exec(text) ?? []
    if (key === undefined || blob === undefined) return []
    return [{ path, key, blob }]
  })
}

/** The same bytes with one bit turned over. */
export function damage(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(100) ^ 1, 100)
  return copy
}

/** Damages the bytes of a key on the disk, as age does. */
export function damageBlob(directory: string, key: string): void {
  const name = recordsBelow(directory).find((one) => one.key === key)?.blob
  const blob = filesBelow(directory).find(({ path }) => /^blobs\/../.test(path) && basename(path) === name)
  if (blob === undefined) throw new Error(`There is no blob of ${key}`)
  const path = join(directory, blob.path)
  chmodSync(path, 0o640)
  writeFileSync(path, damage(readFileSync(path)))
  chmodSync(path, 0o440)
}
