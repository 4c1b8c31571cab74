import { isUnavailable } from '../client/errors.ts'
import type { Assembly } from './assembly.ts'
import type { Progress } from './progress.ts'

/** Writes each stored part of an upload to its manifest. */
export class Checkpoints {
  readonly #assembly: Assembly
  readonly #progress: Progress
  #writing: Promise<void> | undefined
  /** Called with each offset that became durable. */
  onDurable: (offset: number) => void = () => {}
  /** Called when another writer has taken the upload over. */
  onTakeover: () => void = () => {}

  constructor(assembly: Assembly, progress: Progress) {
    this.#assembly = assembly
    this.#progress = progress
  }

  /** Starts a checkpoint, unless one is running: that one continues until the manifest names all stored parts. */
  soon(): void {
    this.#writing ??= this.#write()
      .catch((error) => {
        this.#assembly.fail(error)
        if (!isUnavailable(error)) this.onTakeover()
      })
      .finally(() => {
        this.#writing = undefined
      })
  }

  /** Resolves when no checkpoint is running. */
  async settle(): Promise<void> {
    await this.#writing
  }

  async #write(): Promise<void> {
    for (;;) {
      const { offset, ...pieces } = this.#assembly.pieces()
      const intake = this.#progress.intakeAt(offset)
      if (offset <= this.#progress.offset || intake === undefined) return
      await this.#progress.write('open', { pieces, intake })
      this.#assembly.recorded(pieces.parts.length)
      this.onDurable(offset)
    }
  }
}
