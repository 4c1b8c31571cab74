import { isUnavailable } from '../client/errors.ts'
import type { Assembly } from './assembly.ts'
import type { Progress } from './progress.ts'

/** Has the manifest of an upload tell of each part when it is there. */
export class Checkpoints {
  readonly #assembly: Assembly
  readonly #progress: Progress
  #writing: Promise<void> | undefined
  /** Called with each offset that became durable. */
  onDurable: (offset: number) => void = () => {}
  /** Called when somebody else has taken the upload over. */
  onTakeover: () => void = () => {}

  constructor(assembly: Assembly, progress: Progress) {
    this.#assembly = assembly
    this.#progress = progress
  }

  /** Begins one, unless one is being written: that goes on until it tells of all. */
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

  /** Resolves when none is being written. */
  async settle(): Promise<void> {
    await this.#writing
  }

  async #write(): Promise<void> {
    for (;;) {
      const { offset, ...pieces } = this.#assembly.pieces()
      const intake = this.#progress.intakeAt(offset)
      if (offset <= this.#progress.offset || intake === undefined) return
      await this.#progress.write('open', { pieces, intake })
      this.#assembly.told(pieces.parts.length)
      this.onDurable(offset)
    }
  }
}
