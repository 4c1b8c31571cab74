import { createFsStore, StoreError, type UploadStore } from 'upload-store'
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
    throw new ConfigError(`--data cannot be used: ${wordsOf(error, data)}`)
  }
}

/** What to do about what the system says. */
const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: 'choose a directory that this user may write to, or give it to this user',
  EEXIST: 'there is a file of that name; choose a directory',
  EDQUOT: 'the quota is used up; make room, or choose a directory on another disk',
  // Node's word for EROFS where it has to make the directories above, too.
  ENOENT: 'it cannot be made; choose a directory where the file system is mounted for writing',
  ENOSPC: 'the disk is full; make room, or choose a directory on another disk',
  ENOTDIR: 'a part of the path is a file; choose a directory',
  EPERM: 'choose a directory where files may be made',
  EROFS: 'the file system is read-only; choose a directory on another one, or mount it for writing',
}

function wordsOf(error: unknown, data: string): string {
  if (!(error instanceof Error)) return String(error)
  // The store says itself what to do about another layout.
  if (error instanceof StoreError) return error.message
  const remedy = 'code' in error ? REMEDIES[String(error.code)] : undefined
  return remedy === undefined ? `${error.message}.` : `${data}: ${remedy} (${error.message}).`
}
