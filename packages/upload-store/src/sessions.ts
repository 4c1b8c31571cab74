import type { Resumed, StagingArea } from './driver.ts'
import { Intake } from './intake.ts'
import { checkKey } from './key.ts'
import { randomId } from './random-id.ts'
import { Session } from './session.ts'
import type { StoreOptions } from './store.ts'
import { StoreError } from './store-error.ts'
import type { CreateOptions, UploadSession } from './upload-session.ts'

/** Paused uploads whose hash goes on where it was; those of more are read again when they are resumed. */
const MAX_REMEMBERED = 1000

interface Remembered {
  readonly intake: Intake
  readonly epoch: string
}

/** The sessions of a store in this process. */
export class Sessions {
  readonly #options: StoreOptions
  readonly #area: StagingArea
  readonly #open = new Map<string, Promise<Session | null>>()
  readonly #paused = new Map<string, Remembered>()
  #closed = false

  constructor(options: StoreOptions, area: StagingArea) {
    this.#options = options
    this.#area = area
  }

  /** @throws StoreError INVALID_KEY, NO_SPACE, and ABORTED when the store is closed */
  async create(key: string, options: CreateOptions = {}): Promise<UploadSession> {
    checkKey(key)
    const { type, digest, expectedSize = 0 } = options
    const id = randomId()
    return this.#opening(id, async (onEnd) => {
      // Not a number, or less than nothing, where a client made it up.
      const expected = Math.max(0, expectedSize) || 0
      const staging = await this.#area.create(id, { key, type, digest }, expected)
      const intake = new Intake(this.#options, type)
      return new Session(staging, intake, { id, key, digest, resumed: false, onEnd: onEnd(intake) })
    })
  }

  /** @throws StoreError ABORTED */
  async resume(id: string): Promise<UploadSession | null> {
    const before = this.#open.get(id)
    return this.#opening(id, async (onEnd) => {
      // This process need not wait until the other half of it notices.
      const open = await before?.catch(() => null)
      await open?.pause().catch(() => {})
      const resumed = await this.#area.resume(id)
      if (resumed === null) return null
      const { staging, intent, size } = resumed
      try {
        const intake = await this.#intakeOf(id, resumed)
        return new Session(staging, intake, { ...intent, id, resumed: true, onEnd: onEnd(intake) })
      } catch (error) {
        await staging.pause(size).catch(() => {})
        throw error
      }
    })
  }

  /** Aborts what nobody else can know of, and pauses the rest. */
  async close(): Promise<void> {
    this.#closed = true
    const ends = [...this.#open.values()].map(async (opening) => {
      const session = await opening
      await (session?.resumed ? session.pause() : session?.abort())
    })
    await Promise.allSettled(ends)
  }

  /** Keeps the session among the open ones until it ends; `open` may find that there is none. */
  async #opening<T extends Session | null>(
    id: string,
    open: (onEnd: (intake: Intake) => (epoch?: string) => void) => Promise<T>,
  ): Promise<T> {
    if (this.#closed) throw new StoreError('ABORTED', 'The store is closed.')
    const forget = () => {
      if (this.#open.get(id) === opening) this.#open.delete(id)
    }
    const opening = open((intake) => (epoch) => {
      forget()
      if (epoch !== undefined) this.#remember(id, { intake, epoch })
    })
    this.#open.set(id, opening)
    opening.then((session) => session ?? forget(), forget)
    return opening
  }

  #remember(id: string, remembered: Remembered): void {
    this.#paused.set(id, remembered)
    const [oldest] = this.#paused.keys()
    if (this.#paused.size > MAX_REMEMBERED && oldest !== undefined) this.#paused.delete(oldest)
  }

  /** The state of counting and hashing: remembered, or made again of the bytes that are there. */
  async #intakeOf(id: string, { epoch, size, intent, bytes }: Resumed): Promise<Intake> {
    const remembered = this.#paused.get(id)
    this.#paused.delete(id)
    if (remembered?.epoch === epoch && remembered.intake.size === size) return remembered.intake
    const intake = new Intake(this.#options, intent.type)
    for await (const chunk of bytes()) {
      await intake.admit(chunk)
      intake.hash(chunk)
    }
    return intake
  }
}
