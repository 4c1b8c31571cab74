import createError from 'http-errors'

/** How many uploads may come in at once. */
export interface Slots {
  readonly max: number
  /** Whether there was one left. */
  take(): boolean | Promise<boolean>
  free(): void
}

/** Slots of a server that is one process. */
export function countSlots(max: number): Slots {
  let taken = 0
  return {
    max,
    take: () => {
      if (taken >= max) return false
      taken++
      return true
    },
    free: () => {
      taken--
    },
  }
}

/**
 * Takes a slot, which is to be freed.
 *
 * @throws 503 when there is none left
 */
export async function takeSlot(slots: Slots): Promise<void> {
  if (await slots.take()) return
  const detail = `As many uploads as this server takes at once (${slots.max}) are running; try again soon.`
  throw createError(503, detail, { expose: true })
}
