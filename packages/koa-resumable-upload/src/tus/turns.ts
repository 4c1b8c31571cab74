import type { UploadStore } from 'upload-store'
import { asNewest } from '../as-newest.ts'
import { isUploadId } from '../upload-id.ts'
import type { Incoming } from './incoming.ts'

/** A request that has the use of an upload. */
export interface Turn {
  readonly request: Incoming
  /** The id of the upload that it has begun. */
  readonly created: string | undefined
  /** A newer request waits for the upload. */
  readonly isOver: boolean
}

interface KeptTurn extends Turn {
  created: string | undefined
  isOver: boolean
  readonly ended: Promise<void>
  readonly end: () => void
}

/**
 * Which request uses which upload, one at a time in this process, so that what a request says is never taken for what
 * another one does. A newer one ends the one that is under way; in other processes the store does.
 */
export class Turns {
  readonly #store: UploadStore
  readonly #turns = new Map<string, KeptTurn>()

  constructor(store: UploadStore) {
    this.#store = store
  }

  /** Waits until nobody else uses the upload. */
  async take(id: string, request: Incoming): Promise<Turn> {
    for (let turn = this.#turns.get(id); turn !== undefined; turn = this.#turns.get(id)) {
      turn.isOver = true
      if (isUploadId(id)) await asNewest(() => this.#store.inspect(id))
      await turn.ended
    }
    let end = () => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const turn = { request, created: undefined, isOver: false, ended, end }
    this.#turns.set(id, turn)
    return turn
  }

  /** @throws Error where the hook that takes turns was left out: checksums would go unchecked */
  of(id: string): Turn {
    return this.#kept(id)
  }

  /** The upload that was asked for under `id` has got its own. */
  created(id: string, own: string): void {
    const turn = this.#kept(id)
    turn.created = own
    this.#turns.set(own, turn)
  }

  end(id: string): void {
    const turn = this.#turns.get(id)
    this.#turns.delete(id)
    if (turn?.created !== undefined) this.#turns.delete(turn.created)
    turn?.end()
  }

  #kept(id: string): KeptTurn {
    const turn = this.#turns.get(id)
    if (turn === undefined) {
      throw new Error('The data store has not seen the request: give @tus/server its hooks, too.')
    }
    return turn
  }
}
