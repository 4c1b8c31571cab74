import { ClientShares, type Grant } from '../uploads/client-shares.ts'
import type { Slots } from '../uploads/slots.ts'
import { sendToPrimary, type ToWorker } from './messages.ts'

/**
 * Slots of a worker, which the primary counts. A fixed part for each worker would refuse uploads at one worker while
 * another has slots left.
 */
export function sharedSlots(): Slots {
  const waiting: ((grant: Grant) => void)[] = []
  process.on('message', (message: ToWorker) => {
    if (message.type === 'slot') waiting.shift()?.(message.grant)
  })
  process.on('disconnect', () => {
    for (const answer of waiting.splice(0)) answer('all-used')
  })
  return {
    take: (client) =>
      new Promise((resolve) => {
        // Without a primary there is no count, and this worker is about to exit.
        if (!process.connected) return resolve('all-used')
        waiting.push(resolve)
        sendToPrimary({ type: 'take-slot', client })
      }),
    free: (client) => sendToPrimary({ type: 'free-slot', client }),
  }
}

/** The primary's side: remembers which worker holds slots, because a worker that dies releases none. */
export class SlotCounter<Holder> {
  readonly #shares: ClientShares
  /** The clients of each holder's slots. */
  readonly #held = new Map<Holder, string[]>()

  constructor(max: number) {
    this.#shares = new ClientShares(max)
  }

  take(holder: Holder, client: string): Grant {
    const grant = this.#shares.take(client)
    if (grant === 'granted') this.#held.set(holder, [...(this.#held.get(holder) ?? []), client])
    return grant
  }

  free(holder: Holder, client: string): void {
    const held = this.#held.get(holder) ?? []
    const index = held.indexOf(client)
    if (index < 0) return
    held.splice(index, 1)
    this.#shares.remove(client)
  }

  freeAll(holder: Holder): void {
    for (const client of this.#held.get(holder) ?? []) this.#shares.remove(client)
    this.#held.delete(holder)
  }
}
