/** How long a buffer may be, in bytes. */
export const SHORT: number = 16 * 1024
export const MIDDLE: number = 64 * 1024
export const LONG: number = 256 * 1024

/** How many of each are kept for the next one who needs it: 13 MiB in all. */
const LENGTHS = [
  { length: SHORT, most: 64 },
  { length: MIDDLE, most: 64 },
  { length: LONG, most: 32 },
]

/** Set by the tests: overwrites buffers that are released, so that a reader that still uses one sends wrong bytes. */
const POISONS = process.env['POISON_RELEASED_BUFFERS'] === '1'

/** The ESM and the CommonJS build share the free buffers; the number changes with their form. */
const FREE: unique symbol = Symbol.for('koa-range-stream/buffers/1')
const host: typeof globalThis & { [FREE]?: ReadonlyMap<number, Buffer[]> } = globalThis
host[FREE] ??= new Map<number, Buffer[]>(LENGTHS.map(({ length }) => [length, []]))
const free = host[FREE]

/** A buffer of the first length that holds `length` bytes, else of the longest; used memory is faster than new. */
export function acquireBuffer(length: number): Buffer {
  const { length: actual } = LENGTHS.find((each) => each.length >= length) ?? { length: LONG }
  return free.get(actual)?.pop() ?? Buffer.allocUnsafeSlow(actual)
}

/** Keeps a buffer for the next reader. Call once, when neither the kernel nor any reader uses it. */
export function releaseBuffer(buffer: Buffer): void {
  const most = LENGTHS.find(({ length }) => length === buffer.length)?.most ?? 0
  const others = free.get(buffer.length)
  if (POISONS) poison(buffer, others)
  if (others !== undefined && others.length < most) others.push(buffer)
}

function poison(buffer: Buffer, others: readonly Buffer[] = []): void {
  if (others.includes(buffer)) throw new Error('A buffer was released twice.')
  buffer.fill(0xdb)
}
