type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Methods that change nothing (RFC 9110 §9.2.1). */
export const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** The pattern of a route, which is also its label in metrics. */
export type RoutePattern =
  | '*'
  | '/'
  | '/assets/*'
  | '/files'
  | '/files/:id'
  | '/get_video_by_name/:video_name'
  | '/healthz'
  | '/metrics'
  | '/page/*'
  | '/readyz'
  | '/requests'
  | '/sign-in'
  | '/sign-out'
  | '/uploads'
  | '/uploads/:id'
  | '/video'
  | '/videos'
  | '/videos/:key'

/**
 * Every route of the server and the methods that it supports; HEAD belongs to GET, and OPTIONS to every route. All code
 * that looks at a path uses this table, so that a spelling of a path is the same route everywhere, or no route.
 */
const METHODS: Readonly<Record<RoutePattern, readonly Method[]>> = {
  // The server as a whole (RFC 9110 §9.3.7).
  '*': [],
  '/': ['GET'],
  '/assets/*': ['GET'],
  '/files': ['POST'],
  '/files/:id': ['GET', 'PATCH', 'DELETE'],
  '/get_video_by_name/:video_name': ['GET'],
  '/healthz': ['GET'],
  '/metrics': ['GET'],
  '/page/*': ['GET'],
  '/readyz': ['GET'],
  '/requests': ['GET'],
  '/sign-in': ['GET', 'POST'],
  '/sign-out': ['POST'],
  '/uploads': ['POST'],
  '/uploads/:id': ['GET', 'PATCH', 'DELETE'],
  '/video': ['POST'],
  '/videos': ['GET'],
  '/videos/:key': ['GET', 'PUT', 'DELETE'],
}

/** Routes of uploads in progress. */
export const UPLOAD_ROUTES: ReadonlySet<RoutePattern> = new Set([
  '/uploads',
  '/uploads/:id',
  '/files',
  '/files/:id',
])

export interface MatchedRoute {
  readonly pattern: RoutePattern
  /** The path below the route's fixed part as the client sent it, percent-encoded; empty if the pattern has no such part. */
  readonly rest: string
}

/** The methods of each route, with HEAD and OPTIONS. */
const SUPPORTED = new Map<RoutePattern, readonly string[]>()
const EXACT = new Map<string, RoutePattern>()
/** Patterns with one further segment (`:name`), or with any number of them (`*`), by the first segment. */
const BELOW = new Map<string, RoutePattern>()
for (const pattern of Object.keys(METHODS) as RoutePattern[]) {
  const methods = METHODS[pattern].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  SUPPORTED.set(pattern, [...methods, 'OPTIONS'])
  const [, first] = /^\/([^/]+)\/[:*]/.exec(pattern) ?? []
  if (first === undefined) EXACT.set(pattern, pattern)
  else BELOW.set(first, pattern)
}
// The endpoints of tus clients end in a slash, because that of tusd does.
EXACT.set('/files/', '/files')

/**
 * Returns the route of a path, or `null`. Paths are compared as they are sent: case, a slash at the end and the percent-encoding
 * of the fixed part matter.
 *
 * @param path Koa's; a target like `http://` has none
 */
export function matchRoute(path: string | null | undefined): MatchedRoute | null {
  if (path == null) return null
  // Several layers ask about the path of the same request.
  if (path !== lastPath) {
    lastMatch = findRoute(path)
    lastPath = path
  }
  return lastMatch
}

let lastPath: string | undefined
let lastMatch: MatchedRoute | null = null

function findRoute(path: string): MatchedRoute | null {
  const exact = EXACT.get(path)
  if (exact !== undefined) return { pattern: exact, rest: '' }
  const end = path.indexOf('/', 1)
  const pattern = end < 0 || path[0] !== '/' ? undefined : BELOW.get(path.slice(1, end))
  const rest = path.slice(end + 1)
  if (pattern === undefined || rest === '') return null
  return pattern.endsWith('*') || !rest.includes('/') ? { pattern, rest } : null
}

/** Returns the methods that a route supports, with HEAD and OPTIONS. */
export function routeMethods(pattern: RoutePattern): readonly string[] {
  return SUPPORTED.get(pattern) ?? []
}

/**
 * Returns the key or id that a path names, percent-decoded; empty if the path names none.
 *
 * @throws URIError for a broken percent-escape
 */
export function pathParameter(path: string): string {
  return decodeURIComponent(matchRoute(path)?.rest ?? '')
}
