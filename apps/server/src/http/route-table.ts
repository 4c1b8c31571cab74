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
  /**
   * The path below the route's fixed part, percent-decoded; empty if the pattern has no such part, and `null` if the
   * encoding is malformed.
   */
  readonly parameter: string | null
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

/** The routes of the latest paths: to find one and to decode its parameter takes longer than all other checks of a request. */
const recent = new Map<string, MatchedRoute>()
const MAX_RECENT = 1000
/** In characters, so that the paths of a client that tries to fill the memory are not kept. */
const MAX_RECENT_LENGTH = 300

/**
 * Returns the route of a path, or `null`. Paths are compared as they are sent: case, a slash at the end and the percent-encoding
 * of the fixed part matter.
 *
 * @param path Koa's; a target like `http://` has none
 */
export function matchRoute(path: string | null | undefined): MatchedRoute | null {
  if (path == null) return null
  const known = recent.get(path)
  if (known !== undefined) return known
  const found = findRoute(path)
  if (found !== null && path.length <= MAX_RECENT_LENGTH) {
    if (recent.size === MAX_RECENT) recent.clear()
    recent.set(path, found)
  }
  return found
}

function findRoute(path: string): MatchedRoute | null {
  const exact = EXACT.get(path)
  if (exact !== undefined) return { pattern: exact, parameter: '' }
  const end = path.indexOf('/', 1)
  const pattern = end < 0 || path[0] !== '/' ? undefined : BELOW.get(path.slice(1, end))
  const rest = path.slice(end + 1)
  if (pattern === undefined || rest === '') return null
  if (!pattern.endsWith('*') && rest.includes('/')) return null
  return { pattern, parameter: decodePath(rest) }
}

/** Returns `null` if a percent-escape is malformed or not UTF-8. */
export function decodePath(path: string): string | null {
  try {
    return decodeURIComponent(path)
  } catch {
    return null
  }
}

/** Returns the pattern of every route. */
export function routePatterns(): readonly RoutePattern[] {
  return [...SUPPORTED.keys()]
}

/** Returns the methods that a route supports, with HEAD and OPTIONS. */
export function routeMethods(pattern: RoutePattern): readonly string[] {
  return SUPPORTED.get(pattern) ?? []
}

/** Returns the key or id that a path names, percent-decoded; empty if the path names none. */
export function pathParameter(path: string): string {
  return matchRoute(path)?.parameter ?? ''
}
