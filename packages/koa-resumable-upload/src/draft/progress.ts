import type { Exchange } from './answer.ts'
import { sendInterim } from './interim.ts'

/**
 * Tells the client how far its upload has come for good, so that it need not keep what comes before (§4.4.2); `undefined`
 * for clients that do not ask for 104, and for those of drafts that have no offset in one.
 */
export function tellingProgress({ ctx, request }: Exchange): ((offset: number) => void) | undefined {
  const { version, tellsProgress } = request.interop
  if (version === null || !tellsProgress) return undefined
  return (offset) => {
    sendInterim(ctx, { 'Upload-Draft-Interop-Version': String(version), 'Upload-Offset': String(offset) })
  }
}
