import { type KnownUpload, StoreError, type UploadState } from 'upload-store'
import { unknownUpload } from '../errors.ts'
import { terminate } from '../http/connection.ts'
import { retryAsNewest } from '../http/retry-as-newest.ts'
import type { Exchange } from './exchange.ts'
import { callOnCreate, type UploadTarget } from './hooks.ts'
import type { DeclaredUpload, UploadAction } from './options.ts'
import { toRefusal } from './to-refusal.ts'

/** Returns what the upload was created for if the client may do `action`; `null` if the request is answered with a refusal. */
export async function findFor(
  exchange: Exchange,
  id: string,
  action: UploadAction,
): Promise<KnownUpload | null> {
  const { ctx, settings } = exchange
  const found = await settings.store.getUpload(id)
  if (found === null || !exchange.owns(found.metadata)) {
    exchange.answerRefusal(unknownUpload())
    return null
  }
  await settings.authorize(ctx, action, { key: found.key, metadata: found.metadata })
  return found
}

/** Finds the upload and stops its current writer. Checks `authorize` first, so that a stranger stops no writer. */
export async function interruptFor(
  exchange: Exchange,
  id: string,
  action: UploadAction,
): Promise<UploadState | null> {
  const { store } = exchange.settings
  if ((await findFor(exchange, id, action)) === null) return null
  const state = await retryAsNewest(() => store.interruptUpload(id))
  if (state === null) exchange.answerRefusal(unknownUpload())
  return state
}

/** Runs `handle`, and answers those of its errors that are meant for the client. */
export async function answeringErrors(exchange: Exchange, handle: () => Promise<void>): Promise<void> {
  try {
    await handle()
  } catch (error) {
    if (error instanceof StoreError && error.code === 'ABORTED') {
      terminate(exchange.ctx)
      return
    }
    const refusal = exchange.ctx.headerSent ? null : toRefusal(error)
    if (refusal === null) throw error
    exchange.answerRefusal(refusal)
  }
}

/**
 * Finds out what an upload is created for: `resolveTarget` names the target, `authorize` permits it, and `onCreate` may change
 * it. Returns `null` if the app has no target for the request.
 *
 * @throws what the app throws to refuse the upload
 */
export async function findTarget(
  { ctx, settings }: Exchange,
  declared: DeclaredUpload,
): Promise<UploadTarget | null> {
  const target = await settings.resolveTarget(ctx, declared)
  if (target === null) return null
  const { key, metadata = {} } = target
  await settings.authorize(ctx, 'create', { key, metadata })
  return callOnCreate(settings.hooks, ctx, target, declared.length)
}
