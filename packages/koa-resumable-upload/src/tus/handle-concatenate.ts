import type {
  CreateOptions,
  StoredObject,
  UploadMetadata,
  UploadPart,
  UploadSession,
  UploadState,
} from 'upload-store'
import { complete } from '../core/complete.ts'
import type { Exchange } from '../core/exchange.ts'
import { inspect } from '../core/inspect.ts'
import { limitBroken } from '../core/limits.ts'
import { isPartialUpload, joinedParts, withLength, withParts } from '../core/reserved-metadata.ts'
import { malformed, RefusedError, unknownUpload, wrongPart } from '../errors.ts'
import { isFinal, retryAsNewest } from '../http/retry-as-newest.ts'
import { completePart, findParts, isMadeOf, readPartIds } from './find-parts.ts'
import { findTusTarget } from './find-tus-target.ts'
import { withMetadataField } from './tus-exchange.ts'
import type { TusRequest } from './tus-request.ts'

/**
 * Answers POST with `Upload-Concat: final`: puts complete parts together to one upload, and publishes it (tus 1.0,
 * "Concatenation"). The upload has the URL of its first part, so that a client which sends the request again gets the same
 * Location. Each part leaves a receipt, because a client that has lost the response asks for each part and sends missing ones again.
 *
 * @param urls of the parts, in their order
 */
export async function handleConcatenate(
  exchange: Exchange,
  request: TusRequest,
  urls: readonly string[],
): Promise<void> {
  const ids = readPartIds(exchange, urls)
  if (exchange.contentLength !== 0 || request.length !== null || request.isDeferred) {
    const rule = 'has neither content nor Upload-Length nor Upload-Defer-Length. Omit them.'
    throw new RefusedError(malformed(`A request that puts parts together ${rule}`))
  }
  const states = await findParts(exchange, ids)
  const [first] = states
  if (states.length < ids.length || first === undefined) return
  const joined = isPartialUpload(first.metadata)
    ? await joinParts(exchange, request, states, urls)
    : await repeat(exchange, first, ids)
  if (joined === null) return
  await leaveReceipts(exchange, ids.slice(1), first.id)
  const { object, metadata } = joined
  await exchange.answerCommitted(object, metadata, `${exchange.settings.path}/${first.id}`)
}

interface Joined {
  readonly object: StoredObject
  readonly metadata: UploadMetadata
}

async function joinParts(
  exchange: Exchange,
  request: TusRequest,
  states: readonly UploadState[],
  urls: readonly string[],
): Promise<Joined | null> {
  const { settings } = exchange
  const parts = states.map((state) => completePart(exchange, state))
  const length = parts.reduce((sum, { size }) => sum + size, 0)
  const broken = limitBroken(settings.limits, { length, content: null, last: true })
  if (broken !== null) throw new RefusedError(broken)
  const target = await findTusTarget(exchange, request, length)
  const { key, type, metadata = {} } = target
  await settings.store.checkSpace(length - (parts[0]?.size ?? 0))
  const ids = parts.map(({ id }) => id)
  const joined = withParts(withLength(metadata, length), urls.join(' '))
  const kept = withMetadataField(joined, request.metadataField)
  const session = await join(exchange, parts, key, { type, metadata: kept })
  const object = await complete(exchange, session, { length })
  // The store has removed the upload if it can never be published, and then its parts are useless.
  if (object === null && (await settings.store.getUpload(session.id)) === null) {
    await removeParts(exchange, ids.slice(1))
  }
  return object === null ? null : { object, metadata: kept }
}

/** Removes the parts if the store can never publish them. */
async function join(
  exchange: Exchange,
  parts: readonly UploadPart[],
  key: string,
  options: CreateOptions,
): Promise<UploadSession> {
  try {
    const session = await exchange.settings.store.concatenateUploads(parts, key, options)
    if (session !== null) return session
  } catch (error) {
    if (isFinal(error))
      await removeParts(
        exchange,
        parts.map(({ id }) => id),
      )
    throw error
  }
  throw new RefusedError(unknownUpload())
}

/**
 * Returns the object that the first part has become with an earlier request; `null` if the request is answered with a refusal.
 *
 * @throws RefusedError 400 if the parts are not those of the earlier request
 */
async function repeat(
  exchange: Exchange,
  first: UploadState,
  ids: readonly string[],
): Promise<Joined | null> {
  const url = `${exchange.settings.path}/${first.id}`
  if (joinedParts(first.metadata) === null)
    throw new RefusedError(wrongPart(url, 'is not a part. Create parts with Upload-Concat: partial.'))
  if (!isMadeOf(exchange, first, ids))
    throw new RefusedError(wrongPart(url, 'was put together from other parts. Create new parts.'))
  const inspected = await inspect(exchange, first.id)
  if (inspected === null) return null
  const { committed, state } = inspected
  if (committed !== null) return { object: committed, metadata: state.metadata }
  throw new RefusedError(unknownUpload())
}

/** A part whose bytes cannot be removed now expires. */
async function leaveReceipts({ settings }: Exchange, ids: readonly string[], whole: string): Promise<void> {
  for (const id of ids) await retryAsNewest(() => settings.store.leaveReceipt(id, whole)).catch(() => {})
}

/** A part that cannot be removed now expires. */
async function removeParts({ settings }: Exchange, ids: readonly string[]): Promise<void> {
  for (const id of ids) await retryAsNewest(() => settings.store.deleteUpload(id)).catch(() => {})
}
