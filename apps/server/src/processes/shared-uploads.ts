import type { Grant } from '../uploads/client-shares.ts'
import type { UploadCount } from '../uploads/unfinished-uploads.ts'
import { sendToPrimary, type ToWorker } from './messages.ts'

/** The count of unfinished uploads for a worker, which the primary keeps. */
export function sharedUploadCount(): UploadCount {
  const waiting = new Map<string, (grant: Grant) => void>()
  process.on('message', (message: ToWorker) => {
    if (message.type !== 'upload-grant') return
    waiting.get(message.ticket)?.(message.grant)
    waiting.delete(message.ticket)
  })
  process.on('disconnect', () => {
    for (const answer of waiting.values()) answer('all-used')
    waiting.clear()
  })
  return {
    begin: (ticket, client) =>
      new Promise((resolve) => {
        // Without a primary there is no count, and this worker is about to exit.
        if (!process.connected) return resolve('all-used')
        waiting.set(ticket, resolve)
        sendToPrimary({ type: 'begin-upload', ticket, client })
      }),
    begun: (ticket, id, client) => sendToPrimary({ type: 'upload-begun', ticket, id, client }),
    ended: (id) => sendToPrimary({ type: 'upload-ended', id }),
  }
}
