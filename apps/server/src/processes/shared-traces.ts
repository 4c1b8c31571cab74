import { keepViews, type RequestViews } from '../observe/traces.ts'
import { type ToWorker, tellPrimary } from './messages.ts'

/** Views of a worker that knows what the others have seen, too: a browser's connections go to any of them. */
export function viewsOfAll(): RequestViews {
  const views = keepViews()
  process.on('message', (message: ToWorker) => {
    if (message.type === 'seen') views.put(message.view, message.request)
  })
  return {
    list: views.list,
    put(view, request) {
      views.put(view, request)
      tellPrimary({ type: 'seen', view, request })
    },
  }
}
