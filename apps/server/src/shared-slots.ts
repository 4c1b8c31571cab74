import { type ToWorker, tellPrimary } from './messages.ts'
import type { Slots } from './slots.ts'

/**
 * Slots that the primary counts, for a worker: a share of them for each would refuse uploads to one worker that another
 * still takes, and of one slot there is no share.
 */
export function slotsOfPrimary(max: number): Slots {
  const waiting: ((granted: boolean) => void)[] = []
  process.on('message', (message: ToWorker) => {
    if (message.type === 'slot') waiting.shift()?.(message.granted)
  })
  process.on('disconnect', () => {
    for (const answer of waiting.splice(0)) answer(false)
  })
  return {
    max,
    take: () =>
      new Promise((resolve) => {
        // Without a primary nobody counts, and this worker is about to end.
        if (!process.connected) return resolve(false)
        waiting.push(resolve)
        tellPrimary({ type: 'take-slot' })
      }),
    free: () => tellPrimary({ type: 'free-slot' }),
  }
}

/** The primary's side: which worker holds how many, since one that dies gives none back. */
export class SlotCounter<Holder> {
  readonly #max: number
  readonly #held = new Map<Holder, number>()

  constructor(max: number) {
    this.#max = max
  }

  /** Returns whether there was one left. */
  take(holder: Holder): boolean {
    let taken = 0
    for (const count of this.#held.values()) taken += count
    if (taken >= this.#max) return false
    this.#held.set(holder, (this.#held.get(holder) ?? 0) + 1)
    return true
  }

  free(holder: Holder): void {
    this.#held.set(holder, (this.#held.get(holder) ?? 0) - 1)
  }

  freeAll(holder: Holder): void {
    this.#held.delete(holder)
  }
}
