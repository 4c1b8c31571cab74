import { LRUCache } from 'lru-cache'
import type { TracedRequest } from '../shared/traced-request.ts'

/** The requests that pages have sent, each page's under a random id that no other client knows (`view`). */
export interface RequestTraces {
  /** Adds a request, or replaces an earlier state of it. */
  put(view: string, request: TracedRequest): void
  /** Returns the requests in the order in which they arrived. */
  list(view: string): readonly TracedRequest[]
}

const MAX_VIEWS = 200
const MAX_REQUESTS = 50
/** In ms. */
const LIFETIME = 60_000

/**
 * Creates traces that keep the last 50 requests of each of 200 views, until a view has been unused for a minute.
 *
 * @param now ms, never 0
 */
export function createTraces(now: () => number = Date.now): RequestTraces {
  const views = new LRUCache<string, Map<string, TracedRequest>>({
    max: MAX_VIEWS,
    ttl: LIFETIME,
    ttlResolution: 0,
    updateAgeOnGet: true,
    perf: { now },
  })
  return {
    put(view, request) {
      const requests = views.get(view) ?? new Map<string, TracedRequest>()
      requests.set(request.id, request)
      const [first] = requests.keys()
      if (requests.size > MAX_REQUESTS && first !== undefined) requests.delete(first)
      views.set(view, requests)
      views.purgeStale()
    },
    list: (view) => [...(views.get(view)?.values() ?? [])],
  }
}
