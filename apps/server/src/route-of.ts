/** The patterns of our routes by what their paths begin with: alone, and with more behind it. */
const PATTERNS: Readonly<Record<string, readonly [alone: string, below: string]>> = {
  '': ['/', 'other'],
  assets: ['/assets/*', '/assets/*'],
  files: ['/files', '/files/:id'],
  get_video_by_name: ['other', '/get_video_by_name/:video_name'],
  healthz: ['/healthz', 'other'],
  metrics: ['/metrics', 'other'],
  page: ['/page/*', '/page/*'],
  readyz: ['/readyz', 'other'],
  requests: ['/requests', 'other'],
  'sign-in': ['/sign-in', 'other'],
  'sign-out': ['/sign-out', 'other'],
  uploads: ['/uploads', '/uploads/:id'],
  video: ['/video', 'other'],
  videos: ['/videos', '/videos/:key'],
}

/** The pattern of the route that `path` belongs to: a label with few values, whatever clients ask for. */
export function routeOf(path: string | undefined): string {
  const [, first = '', below] = path?.split('/', 3) ?? []
  const [alone, deeper] = Object.hasOwn(PATTERNS, first) ? (PATTERNS[first] ?? []) : []
  return (below === undefined || below === '' ? alone : deeper) ?? 'other'
}
