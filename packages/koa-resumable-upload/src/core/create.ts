import type { UploadSession } from 'upload-store'
import { conclude } from './complete.ts'
import type { Exchange } from './exchange.ts'
import type { UploadTarget } from './hooks.ts'
import { receive } from './receive.ts'
import { withLength } from './reserved-metadata.ts'

interface Creation {
  /** The declared sha-256 of the whole content, lower-case hex. */
  readonly digest: string | undefined
  /** Of the whole upload, `null` if it is not known yet. */
  readonly length: number | null
  /** Whether the upload is to be complete with this request. */
  readonly last: boolean
  /** Whether the upload becomes a part of another one (`false`). */
  readonly isPart?: boolean
}

/** Creates an upload from the content of a request, publishes the upload if it is complete then, and responds. */
export async function create(
  exchange: Exchange,
  target: UploadTarget,
  { digest, length, last, isPart }: Creation,
): Promise<void> {
  const { settings } = exchange
  let location: string | undefined
  let told = false
  // Before the content is asked for.
  if (length !== null) await settings.store.checkSpace(length)
  const open = async (): Promise<UploadSession> => {
    const { key, type, metadata = {} } = target
    const expectedSize = length ?? undefined
    const session = await settings.store.createUpload(key, {
      type,
      digest,
      expectedSize,
      isPart,
      metadata: withLength(metadata, length),
    })
    location = `${settings.path}/${session.id}`
    told = exchange.announce(location)
    return session
  }
  const known = () => ({ location, length })
  const session = await receive(exchange, { open, offset: 0, length, known, reachable: () => told })
  if (session === null) return
  await conclude(exchange, session, { ...known(), last, status: 201 })
}
