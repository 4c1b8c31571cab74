import type { DetailedError, HttpResponse } from 'tus-js-client'
import type { Answer } from './failure.ts'
import { RefusedHead, type Upload } from './tus-client.ts'

export type Ending =
  | { readonly kind: 'stored'; readonly response: HttpResponse }
  | { readonly kind: 'failed'; readonly answer: Answer | null }
  | { readonly kind: 'stopped' }

/**
 * Time without progress after which an attempt has failed, in ms: longer than the server's limit, and the only sign of a
 * lost network.
 */
const PATIENCE = 40_000

/** Sends what the server does not have yet, until all is there, something fails, or `signal` says stop. */
export function attempt(
  upload: Upload,
  signal: AbortSignal,
  onProgress: (sent: number) => void,
): Promise<Ending> {
  // `signal` may have been aborted since the caller decided to start.
  if (signal.aborted) return Promise.resolve({ kind: 'stopped' })
  return new Promise((resolve) => {
    let timer = setTimeout(stall, PATIENCE)
    function end(ending: Ending): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      resolve(ending)
    }
    function halt(ending: Ending): void {
      void upload.abort()
      end(ending)
    }
    function stall(): void {
      halt({ kind: 'failed', answer: null })
    }
    function stop(): void {
      halt({ kind: 'stopped' })
    }
    upload.options.onProgress = (sent, total) => {
      clearTimeout(timer)
      // Where all is sent the server takes its time to make it durable.
      if (sent < total) timer = setTimeout(stall, PATIENCE)
      onProgress(sent)
    }
    upload.options.onSuccess = ({ lastResponse }) => end({ kind: 'stored', response: lastResponse })
    upload.options.onError = (error) => end({ kind: 'failed', answer: toAnswer(error) })
    signal.addEventListener('abort', stop)
    upload.start()
  })
}

function toAnswer(error: Error | DetailedError): Answer | null {
  if (!('originalRequest' in error)) return null
  const { originalRequest, originalResponse, causingError } = error
  const response = causingError instanceof RefusedHead ? causingError.response : originalResponse
  if (response === null) return null
  return {
    method: originalRequest.getMethod(),
    status: response.getStatus(),
    body: response.getBody(),
    retryAfter: response.getHeader('Retry-After') ?? null,
  }
}
