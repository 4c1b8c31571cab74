import type { Logger } from 'pino'
import type { UploadStore } from 'upload-store'

const FIRST_SWEEP = 60_000
/** A sweep reads every record: 10 s of the disk's time for 100,000. */
const INTERVAL = 60 * 60_000

/**
 * Recovers the uploads that killed processes left, while the server answers requests: with very many of them it takes
 * seconds, and a request for one of them recovers that one itself. If that fails, because the disk is full or read-only,
 * objects can still be read; each sweep recovers again. Never rejects.
 */
export async function recover(store: UploadStore, logger: Logger): Promise<void> {
  try {
    const recovered = await store.recover()
    if (Object.values(recovered).some((count) => count > 0)) logger.info(recovered, 'recovered the store')
  } catch (error) {
    logger.error({ err: error }, 'the store could not be recovered')
  }
}

/** Lists once: the first listing of a process reads every name, seconds for 100,000 that are not cached. */
export function warmUp(store: UploadStore, logger: Logger): void {
  store
    .list({ limit: 1 })
    .catch((error: unknown) => logger.error({ err: error }, 'the store cannot be listed'))
}

/** Sweeps the store from time to time until the returned function is called. */
export function scheduleSweeps(store: UploadStore, logger: Logger): () => void {
  let timer = setTimeout(sweep, FIRST_SWEEP).unref()
  let stopped = false

  function sweep(): void {
    store.sweep().then(
      ({ paused, busy, ...removed }) => {
        const idle = Object.values(removed).every((count) => count === 0)
        logger[idle ? 'debug' : 'info']({ paused, busy, ...removed }, 'swept the store')
      },
      (error: unknown) => logger.error({ err: error }, 'the store could not be swept'),
    )
    if (!stopped) timer = setTimeout(sweep, INTERVAL).unref()
  }

  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
