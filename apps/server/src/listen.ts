import { createFsStore, type UploadStore } from 'upload-store'
import { type Config, ConfigError } from './config.ts'
import { createLogger } from './log.ts'
import { detectType } from './media-type.ts'
import { type RunningServer, serve } from './serve.ts'
import { keepTidy, recover } from './tidy.ts'

/** Opens the store and accepts requests, all in this process, when it resolves. */
export async function listen(config: Config): Promise<RunningServer> {
  const logger = createLogger(config)
  const store = openStore(config)
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

/** @throws ConfigError where `--data` cannot be used */
export function openStore({ data, maxFileSize, maxTotalSize, accept }: Config): UploadStore {
  try {
    return createFsStore(data, { maxFileSize, maxTotalSize, accept, detectType })
  } catch (error) {
    throw new ConfigError(`--data cannot be used: ${error instanceof Error ? error.message : error}`)
  }
}
