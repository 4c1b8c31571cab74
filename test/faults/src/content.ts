import { createCipheriv, createHash } from 'node:crypto'

/** Bytes that parent and child can make anew from a few words. */
export interface Content {
  /** Another seed, other bytes. */
  readonly seed: string
  /** Length in bytes. */
  readonly size: number
}

export function bytesOf({ seed, size }: Content): Buffer {
  const cipher = createCipheriv('aes-256-ctr', sha256(seed).digest(), Buffer.alloc(16))
  return cipher.update(Buffer.alloc(size))
}

export function digestOf(content: Content): string {
  return sha256(bytesOf(content)).digest('hex')
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

function sha256(bytes: string | Buffer) {
  return createHash('sha256').update(bytes)
}
