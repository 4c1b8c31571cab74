import type { HttpResponse } from 'tus-js-client'
import type { Problem } from '../shared/problem.ts'
import type { Item } from '../shared/video.ts'
import { attempt, type Ending } from './attempt.ts'
import { backoff, classifyFailure } from './failure.ts'
import type { Upload } from './tus-client.ts'

/** What an upload has become; without an item where only a later request learned of it. */
export interface Stored {
  readonly key: string
  readonly item: Omit<Item, 'created'> | null
}

export type Outcome =
  | { readonly kind: 'stored'; readonly stored: Stored }
  | { readonly kind: 'failed'; readonly problem: Problem; readonly again: boolean }
  | { readonly kind: 'stopped' }

export interface Listener {
  /** So many bytes are with the server, or on their way. */
  onProgress(sent: number): void
  /** It will be tried again; `null` where the network is to blame. */
  onWaiting(problem: Problem | null): void
}

const UNREADABLE: Problem = {
  title: 'The file cannot be read',
  detail: 'It was changed, moved or removed since it was chosen, or it is a folder.',
}

/** Uploads a file through whatever the network does. */
export async function transfer(
  file: File,
  open: () => Promise<Upload>,
  signal: AbortSignal,
  listener: Listener,
): Promise<Outcome> {
  let failures = 0
  let furthest = 0
  const onProgress = (sent: number): void => {
    // Each attempt reports its start, which alone is no progress.
    if (sent > furthest) failures = 0
    furthest = Math.max(furthest, sent)
    listener.onProgress(sent)
  }
  while (!signal.aborted) {
    const ending = await attemptWith(open, signal, onProgress)
    if (ending.kind === 'stored') return { kind: 'stored', stored: storedBy(ending.response) }
    if (ending.kind === 'stopped') break
    const failure = classifyFailure(ending.answer)
    if (failure.kind === 'final') return { ...failure, kind: 'failed' }
    // To XMLHttpRequest that is a network error, too.
    if (!(await isReadable(file))) return { kind: 'failed', problem: UNREADABLE, again: false }
    if (signal.aborted) break
    failures++
    listener.onWaiting(failure.problem)
    await waitOrOnline(Math.max(failure.after, backoff(failures, Math.random())), signal)
  }
  return { kind: 'stopped' }
}

async function attemptWith(
  open: () => Promise<Upload>,
  signal: AbortSignal,
  onProgress: (sent: number) => void,
): Promise<Ending> {
  // The library itself comes through the network.
  const upload = await open().catch(() => null)
  return upload === null ? { kind: 'failed', answer: null } : attempt(upload, signal, onProgress)
}

async function isReadable(file: File): Promise<boolean> {
  return file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    )
}

function waitOrOnline(time: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      removeEventListener('online', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, time)
    addEventListener('online', done)
    signal.addEventListener('abort', done)
  })
}

/**
 * Reads the stored video from the final response. If that was lost, a HEAD has found the upload complete, and has only the
 * path of the video.
 */
function storedBy(response: HttpResponse): Stored {
  if (response.getBody() !== '') {
    const item: Omit<Item, 'created'> = JSON.parse(response.getBody())
    return { key: item.key, item }
  }
  const path = response.getHeader('Content-Location') ?? ''
  return { key: decodeURIComponent(path.slice(path.lastIndexOf('/') + 1)), item: null }
}
