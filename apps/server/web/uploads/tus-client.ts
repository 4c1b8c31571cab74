import type * as Tus from 'tus-js-client'

export type Upload = Tus.Upload

/** An upload that this browser has begun, now or in an earlier visit. */
export interface UploadRecord {
  readonly fingerprint: string
  readonly name: string
  readonly size: number
  readonly url: string
  /** Of the record itself. */
  readonly key: string
}

/** Of `ietf-draft-05`, which the server answers in its own terms. */
const INTEROP = { 'Upload-Draft-Interop-Version': '6' }
const GONE = new Set([404, 410])

let loading: Promise<typeof Tus> | undefined

/** Only now, so that a page that shows videos does not wait for it. */
function load(): Promise<typeof Tus> {
  loading ??= import('tus-js-client').catch((error: unknown) => {
    loading = undefined
    throw error
  })
  return loading
}

/** The same for the same file in a later visit; the media type may differ with the way a file is chosen. */
export const fileFingerprint = ({ name, size, lastModified }: File): string =>
  `${name}-${size}-${lastModified}`

/**
 * Opens an upload of the file, which resumes an earlier one, of an earlier visit too.
 *
 * @param duration in seconds, which the server stores with the video; `null` if it is not known
 */
export async function openUpload(file: File, duration: number | null): Promise<Upload> {
  const tus = await load()
  const options = {
    endpoint: new URL(duration === null ? '/video' : `/video?duration=${duration.toFixed(3)}`, location.href)
      .href,
    protocol: 'ietf-draft-05',
    headers: { Accept: 'application/json' },
    metadata: { filename: file.name },
    fingerprint: () => Promise.resolve(fileFingerprint(file)),
    removeFingerprintOnSuccess: true,
    // When to try again is decided in transfer.ts: a timer here would not hear that the network is back.
    retryDelays: null,
    onBeforeRequest: (request: Tus.HttpRequest) => {
      // As a header for all requests it would make a list of two types with that of PATCH.
      if (request.getMethod() === 'POST' && file.type !== '') request.setHeader('Content-Type', file.type)
    },
    onAfterResponse: rejectRefusedHead,
  }
  const upload = new tus.Upload(file, options)
  const [previous] = await upload.findPreviousUploads()
  if (previous !== undefined) upload.resumeFromPreviousUpload(previous)
  return upload
}

/** Throws after a refused HEAD. tus-js-client would create the upload again, so that a 503 would lose all sent bytes. */
function rejectRefusedHead(request: Tus.HttpRequest, response: Tus.HttpResponse): void {
  const status = response.getStatus()
  if (request.getMethod() === 'HEAD' && status >= 400 && !GONE.has(status)) throw new RefusedHead(response)
}

export class RefusedHead extends Error {
  readonly response: Tus.HttpResponse

  constructor(response: Tus.HttpResponse) {
    super(`HEAD was answered with ${response.getStatus()}`)
    this.response = response
  }
}

export async function canStoreUploads(): Promise<boolean> {
  return (await load()).canStoreURLs
}

/** The oldest first. */
export async function uploadRecords(): Promise<UploadRecord[]> {
  // Without records the library need not be loaded.
  if (!hasRecords()) return []
  const previous = await (await load()).defaultOptions.urlStorage.findAllUploads()
  const age = ({ creationTime }: Tus.PreviousUpload): number => Date.parse(creationTime)
  return previous
    .sort((a, b) => age(a) - age(b))
    .flatMap(({ urlStorageKey: key, uploadUrl: url, size, metadata }) => {
      const [, fingerprint] = /^tus::(.*)::\d+$/s.exec(key) ?? []
      if (fingerprint === undefined || url === null || size === null) return []
      return [{ fingerprint, name: metadata['filename'] ?? '', size, url, key }]
    })
}

function hasRecords(): boolean {
  try {
    return Object.keys(localStorage).some((key) => key.startsWith('tus::'))
  } catch {
    // A browser that may keep nothing.
    return false
  }
}

/** Removes the record of an upload by its URL: a newer upload may have the same file. */
export async function removeRecord(url: string): Promise<void> {
  const { urlStorage } = (await load()).defaultOptions
  for (const record of await uploadRecords())
    if (record.url === url) await urlStorage.removeUpload(record.key)
}

/** Fetches how many bytes the server has: `'gone'` if it has no such upload, `null` if it does not answer. */
export async function fetchOffset({ url, size }: UploadRecord): Promise<number | 'gone' | null> {
  const response = await fetch(url, { method: 'HEAD', headers: INTEROP }).catch(() => null)
  if (response !== null && GONE.has(response.status)) return 'gone'
  const offset = response?.headers.get('Upload-Offset')
  if (!response?.ok || offset == null) return null
  // All there is a video by now, and no upload.
  return Number(offset) === size ? 'gone' : Number(offset)
}

/** Deletes an upload on the server; returns whether it no longer exists. */
export async function deleteUpload(url: string): Promise<boolean> {
  const response = await fetch(url, { method: 'DELETE', headers: INTEROP, keepalive: true }).catch(() => null)
  return response !== null && (response.ok || GONE.has(response.status))
}
