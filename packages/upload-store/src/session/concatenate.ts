import { StoreError } from '../contract/store-error.ts'
import type { UploadPart } from '../contract/upload-session.ts'
import type { Manifest, Resumed } from './driver.ts'
import type { Session } from './session.ts'
import { step } from './step.ts'

interface PartUploads {
  resume(id: string): Promise<Session | null>
  /** Runs `task` with the bytes of an upload, and keeps the upload. Resolves to whether the upload exists. */
  read(id: string, task: (part: Resumed) => Promise<unknown>): Promise<boolean>
}

/**
 * Appends the other parts to the first one, and makes an ordinary upload of it. This is the complete order: each part is
 * appended, all bytes are made durable, and only then the manifest is replaced. Until then, the first upload is still a
 * part, whose length tells a later call where to continue. The resumption at the end reads and hashes all bytes once.
 *
 * @param manifest of the upload that the parts become
 */
export async function concatenate(
  uploads: PartUploads,
  parts: readonly UploadPart[],
  manifest: Manifest,
): Promise<Session | null> {
  const [first, ...others] = parts
  if (first === undefined) throw new RangeError('There are no parts. Give at least one.')
  const session = await uploads.resume(first.id)
  // A call before this one has replaced the manifest.
  if (session === null || !session.isPart) return session
  await pausing(session, () => appendParts(uploads, session, first, others))
  const whole = await uploads.resume(first.id)
  if (whole?.isPart !== true) return whole
  await pausing(whole, () => step('replace manifest of part', () => whole.setManifest(manifest)))
  return uploads.resume(first.id)
}

async function appendParts(
  uploads: PartUploads,
  session: Session,
  first: UploadPart,
  others: readonly UploadPart[],
): Promise<void> {
  let end = first.size
  for (const part of others) {
    await step('append part', () => appendPart(uploads, session, part, end))
    end += part.size
  }
  checkSize(first.id, session.offset, end)
}

/** Runs `task` and pauses the upload, which makes its bytes durable. */
async function pausing(session: Session, task: () => Promise<void>): Promise<void> {
  try {
    await task()
  } catch (error) {
    await session.pause().catch(() => {})
    throw error
  }
  await session.pause()
}

/** @param start where the part begins in the whole; a call before this one may have appended some of its bytes */
async function appendPart(
  uploads: PartUploads,
  session: Session,
  { id, size }: UploadPart,
  start: number,
): Promise<void> {
  const appended = session.offset - start
  if (appended < 0) checkSize(id, session.offset, start)
  if (appended >= size) return
  const exists = await uploads.read(id, async (part) => {
    checkSize(id, part.size, size)
    await session.append(session.offset, part.bytes(appended))
  })
  if (!exists) throw new StoreError('CORRUPT', `The part ${id} does not exist. Send it again.`)
}

function checkSize(id: string, actual: number, expected: number): void {
  if (actual === expected) return
  const detail = `The part ${id} has ${actual} bytes in place of ${expected}. Send it again.`
  throw new StoreError('CORRUPT', detail)
}
