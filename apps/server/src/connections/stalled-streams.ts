import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Server } from 'node:net'
import { onRequest } from '../http/expect-continue.ts'
import { SlicedResponse } from './sliced-response.ts'
import { socketHandle } from './socket-handle.ts'

/** Looks in the time that a client has. */
const LOOKS = 8
/** How many times as long a stream may wait while its connection is busy, where other streams may have priority. */
const BUSY = 4

interface Progress {
  readonly taken: number
  /** Looks without progress. */
  readonly silent: number
}

/**
 * Resets HTTP/2 streams whose client takes nothing of the response for `timeout` ms (a flow-control window of 0), while
 * other streams of the connection may progress. The body's file is closed with the stream.
 */
export function endStalledStreams(server: Server, timeout: number): void {
  const open = new Map<SlicedResponse, Progress>()

  function look(): void {
    for (const [response, { taken, silent }] of open) {
      const { stream } = response
      const isWaiting = stream.writableLength > 0 && response.taken === taken
      open.set(response, { taken: response.taken, silent: isWaiting ? silent + 1 : 0 })
      if (silent >= LOOKS * (isBusy(stream) ? BUSY : 1)) stream.close(constants.NGHTTP2_CANCEL)
    }
  }

  onRequest(server, (_request, response) => {
    if (!(response instanceof SlicedResponse)) return
    open.set(response, { taken: 0, silent: 0 })
    response.once('close', () => open.delete(response))
  })
  const timer = setInterval(look, timeout / LOOKS).unref()
  server.once('close', () => clearInterval(timer))
}

/** Whether the client has not taken yet what other streams send. */
function isBusy({ session }: ServerHttp2Stream): boolean {
  const socket = session?.socket
  return socket !== undefined && (socketHandle(socket)?.writeQueueSize ?? 0) > 0
}
