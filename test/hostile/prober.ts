import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('./prober.mjs', import.meta.url))

/** How long a server takes to answer the simplest request, asked every 5 ms. */
export class Prober {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(url: string): Promise<Prober> {
    const child = fork(SCRIPT, [url])
    await once(child, 'message')
    return new Prober(child)
  }

  /** ms, one a request since the last call. */
  async latencies(): Promise<number[]> {
    const answered = once(this.#child, 'message')
    this.#child.send('latencies')
    const [latencies] = await answered
    return latencies
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.disconnect()
    await gone
  }
}

/** @param share from 0 to 1 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN
}
