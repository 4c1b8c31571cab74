import type { Config } from './config.ts'
import { createLogger } from './log.ts'
import { openStore } from './open-store.ts'
import { type RunningServer, serve } from './serve.ts'
import { keepTidy, recover } from './tidy.ts'

/** Opens the store and accepts requests, all in this process, when it resolves. */
export async function listen(config: Config): Promise<RunningServer> {
  const logger = createLogger(config)
  const store = await openStore(config)
  await recover(store, logger)
  const server = await serve(config, store, logger)
  const stopTidying = keepTidy(store, logger)
  return {
    url: server.url,
    reload: server.reload,
    close: () => {
      stopTidying()
      return server.close()
    },
  }
}
