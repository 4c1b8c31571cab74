/** A request for a video, as the server saw it. */
export interface SeenRequest {
  /** Of the request: what is told of it later on takes the place of what was told before. */
  readonly id: string
  /** When it came, ISO 8601. */
  readonly time: string
  readonly method: string
  readonly status: number
  /** The Range field. */
  readonly range: string | null
  /** The Content-Range of the answer. */
  readonly contentRange: string | null
  readonly state: 'sending' | 'sent' | 'stopped'
  /** Bytes given to the connection, in HTTP/1 with header fields; `null` while they are being sent, and where nobody knows. */
  readonly sent: number | null
}

/** What pages see of their requests, each by an id that only it knows. */
export interface RequestViews {
  put(view: string, request: SeenRequest): void
  /** The latest last. */
  list(view: string): readonly SeenRequest[]
}

const MOST_VIEWS = 200
const MOST_REQUESTS = 50
/** In ms. */
const LIFETIME = 60_000

interface View {
  used: number
  readonly requests: Map<string, SeenRequest>
}

/**
 * Keeps the last 50 requests of a view until nobody has asked or come for a minute; of 200 views at most.
 *
 * @param now ms
 */
export function keepViews(now: () => number = Date.now): RequestViews {
  /** The one used last stands last. */
  const views = new Map<string, View>()

  function use(id: string, requests: View['requests']): void {
    views.delete(id)
    views.set(id, { used: now(), requests })
    for (const [oldest, { used }] of views) {
      if (views.size <= MOST_VIEWS && now() - used < LIFETIME) break
      views.delete(oldest)
    }
  }

  return {
    put(id, request) {
      const requests = views.get(id)?.requests ?? new Map<string, SeenRequest>()
      requests.set(request.id, request)
      const [first] = requests.keys()
      if (requests.size > MOST_REQUESTS && first !== undefined) requests.delete(first)
      use(id, requests)
    },
    list(id) {
      const view = views.get(id)
      if (view === undefined || now() - view.used >= LIFETIME) return []
      use(id, view.requests)
      return [...view.requests.values()]
    },
  }
}
