import type { Grant } from '../uploads/client-shares.ts'
import type { UploadCount } from '../uploads/unfinished-uploads.ts'
import { type ToWorker, tellPrimary } from './messages.ts'

/** The count of unfinished uploads for a worker, which the primary keeps. */
export function countOfPrimary(): UploadCount {
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
        tellPrimary({ type: 'begin-upload', ticket, client })
      }),
    begun: (ticket, id, client) => tellPrimary({ type: 'upload-begun', ticket, id, client }),
    ended: (id) => tellPrimary({ type: 'upload-ended', id }),
  }
}
