import type { Keystream } from './keystream.ts'

/** How an upload is cut off: the server is killed, or the client's end of the connection goes. */
export type BreakKind = 'kill' | 'drop'

export interface Break {
  readonly kind: BreakKind
  /** How many bytes of the content have been sent by then; where it is all of them the final answer is lost. */
  readonly at: number
}

/**
 * Kills and drops in the order of an upload's bytes: one of each when all has been sent, the others anywhere.
 *
 * @param size of the content, in bytes
 * @param random decides where
 */
export function planBreaks(size: number, kills: number, drops: number, random: Keystream): readonly Break[] {
  const count = kills + drops
  const anywhere = (index: number) =>
    Math.floor((random.bytes(index * 6, index * 6 + 6).readUIntBE(0, 6) / 2 ** 48) * size)
  return Array.from({ length: count }, (_, index): Break => {
    const isAtEnd = index === 0 || index === kills
    return { kind: index < kills ? 'kill' : 'drop', at: isAtEnd ? size : anywhere(index) }
  }).sort((a, b) => a.at - b.at)
}
