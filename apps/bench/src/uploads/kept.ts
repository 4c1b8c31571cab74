import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Contender } from './contenders.ts'

/** What a server holds after an upload, seen from outside. */
export interface Kept {
  /** Length in bytes. */
  size(): Promise<number>
  /** sha-256 of the bytes, lower-case hex. */
  digest(): Promise<string>
  remove(): Promise<void>
}

/** @param key as the server's answer gave it */
export function keptAs(key: string, keeps: Contender['keeps'], root: string, port: number): Kept {
  return keeps === 'files'
    ? keptFile(join(root, key))
    : keptObject(new URL(`http://127.0.0.1:${port}/videos/${key}`))
}

function keptFile(path: string): Kept {
  return {
    size: async () => (await stat(path)).size,
    digest: () => digestOf(createReadStream(path)),
    remove: () => unlink(path),
  }
}

function keptObject(url: URL): Kept {
  return {
    size: async () => Number((await ask(url, 'HEAD')).headers.get('Content-Length')),
    digest: async () => digestOf((await ask(url, 'GET')).body ?? []),
    remove: async () => void (await ask(url, 'DELETE')),
  }
}

async function ask(url: URL, method: string): Promise<Response> {
  const response = await fetch(url, { method })
  if (!response.ok) throw new Error(`${method} ${url} was answered with ${response.status}.`)
  return response
}

async function digestOf(bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of bytes) hash.update(chunk)
  return hash.digest('hex')
}
