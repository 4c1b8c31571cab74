import cluster, { type Worker } from 'node:cluster'
import { createServer } from 'node:net'
import type { Config } from '../config/config.ts'
import { readCertificate } from '../connections/tls.ts'
import { createLogger, logWarnings, reportDamage } from '../observe/log.ts'
import { logLifecycle } from '../observe/log-lifecycle.ts'
import { UnfinishedUploads } from '../uploads/unfinished-uploads.ts'
import { recover, scheduleSweeps } from './maintenance.ts'
import { sendToWorker, workerEnvironment } from './messages.ts'
import { openStore } from './open-store.ts'
import { type Bound, bind, type RunningServer } from './serve.ts'
import { MetricsGatherer } from './shared-metrics.ts'
import { SlotCounter } from './shared-slots.ts'
import { WorkerPool, type WorkerRequest } from './worker-pool.ts'

/** Opens and tidies the store in this process, and has workers answer requests; all of them do when it resolves. */
export async function listenWithWorkers(config: Config): Promise<RunningServer> {
  const logger = createLogger(config)
  logWarnings(logger)
  const store = await openStore(config, reportDamage(logger))
  // Each worker reads it, and says nothing better than this.
  readCertificate(config)
  const recoverStore = async () => {
    // A read-only server writes nothing, whatever state the store is in.
    if (!config.readOnly) await recover(store, logger)
  }
  const { url, port } = await probe(config)
  // Standard output is for the URL.
  cluster.setupPrimary({ args: [], stdio: ['ignore', 2, 2, 'ipc'] })
  const shared = {
    slots: new SlotCounter<Worker>(config.maxConcurrentUploads),
    uploads: new UnfinishedUploads(store, config.maxUnfinishedUploads, logger),
    gatherer: new MetricsGatherer(logger),
  }
  let recovered = Promise.resolve()
  const pool = new WorkerPool({
    count: config.workers,
    env: workerEnvironment({ ...config, port }),
    logger,
    onMessage: (worker, message) => answer(shared, pool, worker, message),
    onEnd: (worker) => {
      releaseShares(shared, worker)
      recovered = recovered.then(recoverStore)
    },
  })
  // After a second signal, or an error in this process, no other process ends the workers.
  process.once('exit', () => pool.kill())
  await Promise.race([pool.ready, pool.failed])
  pool.failed.catch(endWith)
  recovered = recovered.then(recoverStore)
  const stopTidying = config.readOnly ? () => {} : scheduleSweeps(store, logger)
  const server: RunningServer = {
    url,
    reload: () => {
      for (const worker of pool.workers) sendToWorker(worker, { type: 'reload' })
    },
    close: async () => {
      stopTidying()
      await pool.drain(config.shutdownTimeout)
      await recovered
      await store.close()
    },
  }
  return logLifecycle(server, logger)
}

/** What is counted here for all workers. */
interface Shared {
  readonly slots: SlotCounter<Worker>
  readonly uploads: UnfinishedUploads
  readonly gatherer: MetricsGatherer
}

function answer(shared: Shared, pool: WorkerPool, worker: Worker, message: WorkerRequest): void {
  const { slots, uploads, gatherer } = shared
  if (message.type === 'free-slot') slots.free(worker, message.client)
  else if (message.type === 'take-slot')
    sendToWorker(worker, { type: 'slot', grant: slots.take(worker, message.client) })
  else if (message.type === 'begin-upload') void grant(uploads, worker, message)
  else if (message.type === 'upload-begun') uploads.begun(message.ticket, message.id, message.client)
  else if (message.type === 'upload-ended') uploads.ended(message.id)
  else if (message.type === 'counts') gatherer.take(worker, message.counts)
  else gatherer.answer(worker, pool.workers)
}

async function grant(
  uploads: UnfinishedUploads,
  worker: Worker,
  { ticket, client }: { readonly ticket: string; readonly client: string },
): Promise<void> {
  sendToWorker(worker, { type: 'upload-grant', ticket, grant: await uploads.begin(ticket, client) })
}

/** Releases what a worker held: after its end it sends no message. */
function releaseShares({ slots, gatherer }: Shared, worker: Worker): void {
  slots.freeAll(worker)
  gatherer.take(worker, [])
}

/**
 * Finds a free port and reports a port that cannot be used. The workers then ask for this port by its number:
 * node:cluster closes it when the last worker exits, and a worker that asked for any port would get another one.
 */
async function probe(config: Config): Promise<Bound> {
  const server = createServer()
  const bound = await bind(server, config)
  await new Promise((resolve) => server.close(resolve))
  return bound
}

/** Throws the error as an uncaught exception, which ends the process. */
function endWith(error: unknown): void {
  setImmediate(() => {
    throw error
  })
}
