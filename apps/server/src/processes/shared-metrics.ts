import type { Worker } from 'node:cluster'
import type { Logger } from 'pino'
import { AggregatorRegistry, Registry } from 'prom-client'
import { countDroppedLines } from '../observe/metrics.ts'
import { type Counts, sendToPrimary, sendToWorker, type ToWorker } from './messages.ts'

/** How long the primary waits for a worker's counts, in ms. Those of a worker that is too busy are missing from the sum. */
const PATIENCE = 2000

type Answer = (text: string | Promise<string>) => void

/**
 * Returns a function that gets the text of all workers' metrics together. It does not use prom-client's own messages: they
 * end a worker that is asked while it drains, and fail for 5 s after a worker has died.
 */
export function sharedMetricsText(registry: Registry, logger: Logger): () => Promise<string> {
  const waiting: Answer[] = []

  async function sendCounts(): Promise<void> {
    try {
      sendToPrimary({ type: 'counts', counts: await registry.getMetricsAsJSON() })
    } catch (error) {
      logger.error({ err: error }, 'the metrics of this worker could not be collected')
      sendToPrimary({ type: 'counts', counts: [] })
    }
  }

  function answerAll(text: string | Promise<string>): void {
    for (const answer of waiting.splice(0)) answer(text)
  }

  process.on('message', (message: ToWorker) => {
    if (message.type === 'count') void sendCounts()
    if (message.type === 'metrics') answerAll(message.text)
  })
  process.on('disconnect', () => {
    if (waiting.length > 0) answerAll(registry.metrics())
  })
  return () => {
    if (!process.connected) return registry.metrics()
    return new Promise((resolve) => {
      waiting.push(resolve)
      sendToPrimary({ type: 'ask-metrics' })
    })
  }
}

/** The primary's side: asks all workers, and adds up their counts and its own. */
export class MetricsGatherer {
  readonly #logger: Logger
  readonly #own = new Registry()
  readonly #asked = new Map<Worker, (counts: Counts) => void>()
  #gathering: Promise<string> | undefined

  constructor(logger: Logger) {
    this.#logger = logger
    countDroppedLines(this.#own)
  }

  /** @param workers all that run now */
  async answer(asker: Worker, workers: readonly Worker[]): Promise<void> {
    this.#gathering ??= this.#gather(workers)
      .catch((error: unknown) => {
        // An error here would end the primary, and with it every worker.
        this.#logger.error({ err: error }, 'the metrics of the workers could not be added up')
        return ''
      })
      .finally(() => {
        this.#gathering = undefined
      })
    sendToWorker(asker, { type: 'metrics', text: await this.#gathering })
  }

  /** Takes the counts of a worker, or none if it has ended. */
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
    return AggregatorRegistry.aggregate([...counts, await this.#own.getMetricsAsJSON()]).metrics()
  }

  #ask(worker: Worker): Promise<Counts> {
    if (!worker.isConnected()) return Promise.resolve([])
    return new Promise((resolve) => {
      this.#asked.set(worker, resolve)
      sendToWorker(worker, { type: 'count' })
    })
  }
}
