import type { Contender } from './contenders.ts'
import type { Kind } from './kinds.ts'

/** Contenders that are asked for one kind one after another. */
export interface Group {
  /** From 0 on. */
  readonly round: number
  readonly kind: Kind
  readonly contenders: readonly Contender[]
}

/** In how many rounds a contender takes part at a kind. */
export type RoundsOf = (contender: Contender, kind: Kind) => number

/**
 * Has everyone's turn once per round and kind, so that a host that slows down slows all of them; in rotated order, so
 * that none always follows the same neighbour.
 */
export function schedule(
  contenders: readonly Contender[],
  kinds: readonly Kind[],
  roundsOf: RoundsOf,
): readonly Group[] {
  const all = contenders.flatMap((contender) => kinds.map((kind) => roundsOf(contender, kind)))
  const rounds = Array.from({ length: Math.max(0, ...all) }, (_, round) => round)
  const groups = rounds.flatMap((round) => {
    const first = round % contenders.length
    const order = [...contenders.slice(first), ...contenders.slice(0, first)]
    return kinds.map((kind) => ({
      round,
      kind,
      contenders: order.filter((contender) => round < roundsOf(contender, kind)),
    }))
  })
  return groups.filter((group) => group.contenders.length > 0)
}
