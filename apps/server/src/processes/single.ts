import type { Config } from '../config/config.ts'
import { createLogger, logWarnings, reportDamage } from '../observe/log.ts'
import { logLifecycle } from '../observe/log-lifecycle.ts'
import { Metrics } from '../observe/metrics.ts'
import { recover, scheduleSweeps } from './maintenance.ts'
import { openStore } from './open-store.ts'
import { type RunningServer, serve } from './serve.ts'

/** Opens the store and accepts requests, all in this process, when it resolves. */
export async function listen(config: Config): Promise<RunningServer> {
  const logger = createLogger(config)
  logWarnings(logger)
  const metrics = new Metrics()
  const store = await openStore(config, reportDamage(logger, metrics))
  const server = await serve(config, store, logger, { metrics })
  // A read-only server writes nothing, whatever state the store is in.
  if (!config.readOnly) void recover(store, logger)
  const stopTidying = config.readOnly ? () => {} : scheduleSweeps(store, logger)
  const close = () => {
    stopTidying()
    return server.close()
  }
  return logLifecycle({ ...server, close }, logger)
}
