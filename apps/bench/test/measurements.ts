import type { Contender } from '../src/ranges/contenders.ts'
import type { Kind } from '../src/ranges/kinds.ts'
import type { Measurement } from '../src/ranges/report/figures.ts'

/** One measurement a round: answers per second, and microseconds of processor time for each. */
export function measured(
  contender: Contender,
  kind: Kind,
  ...rounds: readonly (readonly [rate: number, microseconds: number])[]
): readonly Measurement[] {
  return rounds.map(([rate, microseconds], round) => ({
    contender,
    kind,
    round,
    cell: { rate, processor: microseconds / 1e6, isBound: false },
  }))
}
