import { progress } from '../progress.ts'
import type { Running } from './cell.ts'
import type { Contender } from './contenders.ts'
import type { Kind } from './kinds.ts'
import { examine, type Site } from './visit.ts'

/** Why a contender is not measured at a kind. */
export interface Refusal {
  readonly contender: Contender
  readonly kind: Kind
  /** What it answered instead. */
  readonly reason: string
}

/**
 * Finds out which server answers which kind of request.
 *
 * @throws Error when one of our own gives a wrong answer
 */
export async function probe(running: readonly Running[], site: Site): Promise<readonly Refusal[]> {
  const refusals: Refusal[] = []
  for (const one of running) {
    const { contender } = one
    for (const kind of contender.kinds) {
      const { fault } = await examine(one, kind, site)
      if (fault === null) continue
      if (contender.ours) throw new Error(`${contender.name} answers ${kind.name} wrongly: ${fault}`)
      refusals.push({ contender, kind, reason: fault })
      progress(`${contender.name} does not take part at ${kind.name}: it answered ${fault}`)
    }
  }
  return refusals
}
