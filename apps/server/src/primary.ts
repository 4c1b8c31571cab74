import cluster, { type Worker } from 'node:cluster'
import { createServer } from 'node:net'
import type { Config } from './config.ts'
import { createLogger } from './log.ts'
import { tellWorker } from './messages.ts'
import { openStore } from './open-store.ts'
import { type Bound, bind, type RunningServer } from './serve.ts'
import { MetricsGatherer } from './shared-metrics.ts'
import { SlotCounter } from './shared-slots.ts'
import { keepTidy, recover } from './tidy.ts'
import { readCertificate } from './tls.ts'
import { workerEnvironment } from './worker.ts'
import { WorkerPool } from './worker-pool.ts'

/** Opens and tidies the store in this process, and has workers answer requests; all of them do when it resolves. */
export async function listenWithWorkers(config: Config): Promise<RunningServer> {
  const logger = createLogger(config)
  const store = await openStore(config)
  // Each worker reads it, and says nothing better than this.
  readCertificate(config)
  let recovered = recover(store, logger)
  await recovered
  const { url, port } = await probe(config)
  // Standard output is for the URL.
  cluster.setupPrimary({ args: [], stdio: ['ignore', 2, 2, 'ipc'] })
  const slots = new SlotCounter<Worker>(config.maxUploads)
  const gatherer = new MetricsGatherer()
  const pool = new WorkerPool({
    count: config.workers,
    env: workerEnvironment({ ...config, port }),
    logger,
    onMessage: (worker, message) => {
      if (message.type === 'free-slot') slots.free(worker)
      else if (message.type === 'take-slot') tellWorker(worker, { type: 'slot', granted: slots.take(worker) })
      else if (message.type === 'counts') gatherer.take(worker, message.counts)
      else gatherer.answer(worker, pool.workers)
    },
    onEnd: (worker) => {
      slots.freeAll(worker)
      gatherer.take(worker, [])
      recovered = recovered
        .then(() => recover(store, logger))
        .catch((error: unknown) => logger.error({ err: error }, 'the store could not be recovered'))
    },
  })
  // After a second signal, or an error in here, there is nobody to tell them.
  process.once('exit', () => pool.kill())
  await Promise.race([pool.ready, pool.failed])
  pool.failed.catch(endWith)
  const stopTidying = keepTidy(store, logger)
  return {
    url,
    reload: () => {
      for (const worker of pool.workers) tellWorker(worker, { type: 'reload' })
    },
    close: async () => {
      stopTidying()
      await pool.drain(config.shutdownTimeout)
      await recovered
      await store.close()
    },
  }
}

/**
 * Finds a port, and what is wrong with it in words of its own. The workers then ask for that very port: node:cluster lets go
 * of it when the last worker is gone, and would take another for the next one that asks for any.
 */
async function probe(config: Config): Promise<Bound> {
  const server = createServer()
  const bound = await bind(server, config)
  await new Promise((resolve) => server.close(resolve))
  return bound
}

/** Like any error that nobody handles. */
function endWith(error: unknown): void {
  setImmediate(() => {
    throw error
  })
}
