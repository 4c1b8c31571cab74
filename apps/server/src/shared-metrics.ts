import type { Worker } from 'node:cluster'
import { AggregatorRegistry, type Registry } from 'prom-client'
import { type Counts, type ToWorker, tellPrimary, tellWorker } from './messages.ts'

/** How long a worker may be too busy to tell its counts; then the others' are all there is. */
const PATIENCE = 2000

/**
 * The text of all workers' metrics together, for one of them. Not by prom-client's own messages, which end a worker that is
 * draining when it is asked just then, and fail for 5 s when one has died.
 */
export function metricsOfAll(registry: Registry): () => Promise<string> {
  const waiting: ((text: string) => void)[] = []
  process.on('message', async (message: ToWorker) => {
    if (message.type === 'count') tellPrimary({ type: 'counts', counts: await registry.getMetricsAsJSON() })
    if (message.type === 'metrics') for (const answer of waiting.splice(0)) answer(message.text)
  })
  process.on('disconnect', async () => {
    const own = await registry.metrics()
    for (const answer of waiting.splice(0)) answer(own)
  })
  return () => {
    if (!process.connected) return registry.metrics()
    return new Promise((resolve) => {
      waiting.push(resolve)
      tellPrimary({ type: 'ask-metrics' })
    })
  }
}

/** The primary's side: asks all workers, and adds up what they say. */
export class MetricsGatherer {
  readonly #asked = new Map<Worker, (counts: Counts) => void>()
  #gathering: Promise<string> | undefined

  /** @param workers all that run now */
  async answer(asker: Worker, workers: readonly Worker[]): Promise<void> {
    this.#gathering ??= this.#gather(workers).finally(() => {
      this.#gathering = undefined
    })
    tellWorker(asker, { type: 'metrics', text: await this.#gathering })
  }

  /** Takes what a worker says, or that it is gone and will say nothing. */
  take(worker: Worker, counts: Counts): void {
    this.#asked.get(worker)?.(counts)
    this.#asked.delete(worker)
  }

  async #gather(workers: readonly Worker[]): Promise<string> {
    const all = workers.map((worker) => this.#ask(worker))
    const timer = setTimeout(() => {
      for (const worker of this.#asked.keys()) this.take(worker, [])
    }, PATIENCE)
    const counts = (await Promise.all(all)).map((each) => [...each])
    clearTimeout(timer)
    return AggregatorRegistry.aggregate(counts).metrics()
  }

  #ask(worker: Worker): Promise<Counts> {
    if (!worker.isConnected()) return Promise.resolve([])
    return new Promise((resolve) => {
      this.#asked.set(worker, resolve)
      tellWorker(worker, { type: 'count' })
    })
  }
}
