import { createTraces, type RequestTraces } from '../observe/traces.ts'
import { sendToPrimary, type ToWorker } from './messages.ts'

/** Traces of a worker that has the requests of all workers: a browser's connections go to any of them. */
export function sharedTraces(): RequestTraces {
  const traces = createTraces()
  process.on('message', (message: ToWorker) => {
    if (message.type === 'traced') traces.put(message.view, message.request)
  })
  return {
    list: traces.list,
    put(view, request) {
      traces.put(view, request)
      sendToPrimary({ type: 'traced', view, request })
    },
  }
}
