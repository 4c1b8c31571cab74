/** What a buffer may be long, in bytes, and how many of each are kept for the next one who needs it: 13 MiB in all. */
const LENGTHS = [
  { length: 16 * 1024, most: 64 },
  { length: 64 * 1024, most: 64 },
  { length: 256 * 1024, most: 32 },
] as const

const free = new Map<number, Buffer[]>(LENGTHS.map(({ length }) => [length, []]))

/** A buffer of the first length that holds `length` bytes, else of the longest; used memory is faster than new. */
export function takeBuffer(length: number): Buffer {
  const { length: actual } = LENGTHS.find((each) => each.length >= length) ?? LENGTHS[2]
  return free.get(actual)?.pop() ?? Buffer.allocUnsafeSlow(actual)
}

/** For buffers that neither the kernel nor anybody else reads or writes any more. */
export function giveBackBuffer(buffer: Buffer): void {
  const most = LENGTHS.find(({ length }) => length === buffer.length)?.most ?? 0
  const others = free.get(buffer.length)
  if (others !== undefined && others.length < most) others.push(buffer)
}
