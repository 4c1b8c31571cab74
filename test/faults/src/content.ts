import { createHash } from 'node:crypto'

/** Bytes that parent and child can make anew from a few words. */
export interface Content {
  /** Another seed, other bytes. */
  readonly seed: string
  /** Length in bytes. */
  readonly size: number
}

export function bytesOf({ seed, size }: Content): Buffer {
  const blocks: Buffer[] = []
  for (let at = 0; at * 32 < size; at++) blocks.push(sha256(`${seed} ${at}`).digest())
  return Buffer.concat(blocks).subarray(0, size)
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
  const CHUNK = 4000
  const bytes = bytesOf(content)
  for (let at = start; at < end; at += CHUNK) yield bytes.subarray(at, Math.min(at + CHUNK, end))
}

function sha256(bytes: string | Buffer) {
  return createHash('sha256').update(bytes)
}
