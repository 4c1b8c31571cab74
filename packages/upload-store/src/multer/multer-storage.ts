import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { callbackify } from 'node:util'
import type { UploadStore } from '../contract/store.ts'
import { StoreError } from '../contract/store-error.ts'
import type { SealedUpload, UploadSession } from '../contract/upload-session.ts'
import { sanitizeKey } from '../values/key.ts'
import { TaskQueue } from '../values/task-queue.ts'
import { abortWithResponse, clientConnection } from './abort-with-response.ts'

/** The properties of a file that multer knows before its bytes arrive. */
export interface IncomingFile {
  readonly originalname: string
  readonly mimetype: string
  readonly stream: Readable & { readonly truncated?: boolean }
}

/** What the engine adds to multer's file: `session.commit()` publishes it, and nothing else does. */
export interface StoredFile extends SealedUpload {
  readonly session: UploadSession
}

/**
 * multer's `StorageEngine`, declared by structure, so that users do not need its types. `file` is the
 * `IncomingFile` that multer makes; its type packages disagree on what that is.
 */
export interface MulterStorageEngine {
  _handleFile(
    request: IncomingMessage,
    file: object,
    callback: (error?: unknown, info?: StoredFile) => void,
  ): void
  _removeFile(request: IncomingMessage, file: object, callback: (error: Error | null) => void): void
}

export interface MulterStorageOptions {
  /** The key of a file (`sanitizeKey` of the client's name). */
  readonly key?: ((file: IncomingFile, request: IncomingMessage) => string) | undefined
}

/**
 * Creates a multer storage engine that seals each file in `store` and leaves its session on the file, as `file.session`.
 *
 * The handler calls `file.session.commit()`. Whatever it has not committed when the response ends is aborted: multer may
 * still revoke a file that is complete, because a later one breaks a limit, and so may the handler.
 *
 * @example
 * const upload = multer({ storage: multerStorage(store), defParamCharset: 'utf8' })
 * router.post('/video', upload.single('file'), async (ctx) => {
 *   ctx.body = await ctx.file.session.commit()
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
    _handleFile: callbackify((request: IncomingMessage, file: object) =>
      inTurn(request, () => receive(request, file)),
    ),
    _removeFile: (_request, file, callback) => {
      const removed = 'session' in file ? (file as StoredFile).session.abort() : Promise.resolve()
      removed.then(() => callback(null), callback)
    },
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
