import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { callbackify } from 'node:util'
import type { UploadStore } from '../contract/store.ts'
import { StoreError } from '../contract/store-error.ts'
import { sanitizeKey } from '../values/key.ts'
import { TaskQueue } from '../values/task-queue.ts'
import { abortWithResponse, clientConnection } from './abort-with-response.ts'
import { isStored, type StoredFile } from './stored-file.ts'

/** The properties of a file that multer knows before its bytes arrive. */
export interface IncomingFile {
  readonly originalname: string
  readonly mimetype: string
  readonly stream: Readable & { readonly truncated?: boolean }
}

/**
 * multer's `StorageEngine`, declared by structure, so that users do not need its types. `file` is the `IncomingFile` that
 * multer makes, and `info` the `StoredFile` that multer adds to it; its type packages disagree on
 * the types of these, and on whether a removal that succeeds calls back with `null`.
 */
export interface MulterStorageEngine {
  _handleFile<Info extends object>(
    request: IncomingMessage,
    file: object,
    callback: (error?: unknown, info?: Info) => void,
  ): void
  _removeFile<Failure extends Error | null>(
    request: IncomingMessage,
    file: object,
    callback: (error: Failure) => void,
  ): void
}

export interface MulterStorageOptions {
  /** The key of a file (`sanitizeKey` of the client's name). */
  readonly key?: ((file: IncomingFile, request: IncomingMessage) => string) | undefined
}

/**
 * Creates a multer storage engine that seals each file in `store` and adds its session to multer's file.
 *
 * The handler gets the file from `storedFile` and calls `session.commit()`. Sessions that are not committed when the
 * response ends are aborted: multer may still revoke a complete file because a later one exceeds a limit.
 *
 * @example
 * const upload = multer({ storage: multerStorage(store) })
 * router.post('/video', upload.single('file'), async (ctx) => {
 *   ctx.body = await storedFile(ctx.file).session.commit()
 * })
 */
export function multerStorage(store: UploadStore, options: MulterStorageOptions = {}): MulterStorageEngine {
  const { key = (file) => sanitizeKey(file.originalname) } = options

  async function receive(request: IncomingMessage, file: object): Promise<StoredFile> {
    if (!isIncoming(file))
      throw new TypeError('multer passed a file without a name or a stream. Use multer 2.')
    if (clientConnection(request)?.destroyed === true)
      throw new StoreError('ABORTED', 'The client closed the connection.')
    const expectedSize = unreadLength(request)
    const session = await store.createUpload(key(file, request), { type: file.mimetype, expectedSize })
    // Also while it receives: after a response in mid-upload nothing ends its stream.
    abortWithResponse(request, session)
    try {
      await session.append(0, file.stream)
      // busboy ends a file that breaks multer's own size limit as if it were whole.
      if (file.stream.truncated === true)
        throw new StoreError(
          'TOO_LARGE',
          'The file is larger than the limit of the form. Send a smaller file.',
        )
      return { session, ...(await session.seal()) }
    } catch (error) {
      await session.abort().catch(() => {})
      throw error
    } finally {
      received.set(request, (received.get(request) ?? 0) + session.offset)
    }
  }

  return {
    // multer needs exactly one call back, never a throw and never a rejected promise.
    _handleFile: callbackify(
      (request: IncomingMessage, file: object): Promise<object> =>
        inTurn(request, () => receive(request, file)),
    ) as MulterStorageEngine['_handleFile'],
    _removeFile: callbackify(async (_request: IncomingMessage, file: object) => {
      if (isStored(file)) await file.session.abort()
    }) as MulterStorageEngine['_removeFile'],
  }
}

/** Bytes of a request's files that have been read. */
const received = new WeakMap<IncomingMessage, number>()

/** Returns how many bytes the request can still have for its next file; 0 if it does not say how long it is. */
function unreadLength(request: IncomingMessage): number {
  const length = Number(request.headers['content-length'] ?? 0)
  return Math.max(0, length - (received.get(request) ?? 0)) || 0
}

/** The files of each request. */
const queues = new WeakMap<IncomingMessage, TaskQueue>()

/**
 * Receives the files of a request one after the other: multer begins each as soon as its part arrives, and 3,000 small ones
 * in one request would be 3,000 open files.
 */
function inTurn<T>(request: IncomingMessage, task: () => Promise<T>): Promise<T> {
  const queue = queues.get(request) ?? new TaskQueue()
  queues.set(request, queue)
  return queue.run(task)
}

function isIncoming(file: object): file is IncomingFile {
  return 'originalname' in file && 'mimetype' in file && 'stream' in file
}
