import { createHash } from 'node:crypto'
import { Keystream } from './keystream.ts'

/** Bytes that parent and child can make anew from a few words. */
export interface Content {
  /** Another seed, other bytes. */
  readonly seed: string
  /** Length in bytes. */
  readonly size: number
}

export function bytesOf({ seed, size }: Content): Buffer {
  return new Keystream(seed).bytes(0, size)
}

export function digestOf(content: Content): string {
  return createHash('sha256').update(bytesOf(content)).digest('hex')
}

/** What an upload sends from `start` on up to `end`, in several chunks, so that there are steps between them. */
export async function* chunksOf(
  content: Content,
  start = 0,
  end: number = content.size,
): AsyncGenerator<Buffer> {
  const length = Math.max(4000, content.size / 10)
  const bytes = bytesOf(content)
  for (let at = start; at < end; at += length) yield bytes.subarray(at, Math.min(at + length, end))
}
