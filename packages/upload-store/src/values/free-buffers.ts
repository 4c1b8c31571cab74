/** Set by the tests: overwrites buffers that are released, so that a reader that still uses one stores wrong bytes. */
const POISONS = process.env['POISON_RELEASED_BUFFERS'] === '1'

/** Keeps a buffer for the next user. Call once, when no write reads it. */
export function releaseBuffer(free: Buffer[], buffer: Buffer, max: number): void {
  if (POISONS) {
    if (free.includes(buffer)) throw new Error('A buffer was released twice.')
    buffer.fill(0xdb)
  }
  if (free.length < max) free.push(buffer)
}
