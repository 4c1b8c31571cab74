import type { Exchange } from '../core/exchange.ts'
import { findTarget } from '../core/find-upload.ts'
import type { UploadTarget } from '../core/hooks.ts'
import { noTusTarget, RefusedError } from '../errors.ts'
import type { TusRequest } from './tus-request.ts'

/**
 * Finds out what an upload is created for, whether it is sent as a whole or in parts.
 *
 * @throws RefusedError 404 if the app has no target for the upload; what the app throws
 */
export async function findTusTarget(
  exchange: Exchange,
  { metadata }: TusRequest,
  length: number | null,
): Promise<UploadTarget> {
  const target = await findTarget(exchange, { metadata, length })
  if (target === null) throw new RefusedError(noTusTarget())
  return target
}
