import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { REPOSITORY } from '../support/server.ts'

// Who may import what: the table of CONTRIBUTING.md. Everything that is not named here is forbidden.
const ALLOWED = {
  'packages/range-core': [],
  'packages/koa-range-stream': [
    /^range-core$/,
    /^koa$/,
    /^node:(?:fs|fs\/promises|http|path|stream|stream\/web|util)$/,
  ],
  'packages/upload-store': [/^node:/],
  'packages/koa-resumable-upload': [
    /^(?:upload-store|structured-headers)$/,
    /^koa$/,
    /^node:(?:async_hooks|crypto|events|http|http2|stream)$/,
  ],
  'apps/server': [
    /^node:/,
    /^(?:range-core|koa-range-stream(?:\/sendfile)?|koa-resumable-upload(?:\/http)?|upload-store(?:\/s3)?)$/,
    /^(?:koa|@koa\/cors|@koa\/multer|@koa\/router|koa-conditional-get|koa-mount|koa-static|multer)$/,
    /^@tus\/server$/,
    /^(?:close-with-grace|content-disposition|file-type|http-errors|ipaddr\.js|lru-cache|pino|prom-client|structured-headers|yocto-spinner)$/,
  ],
} satisfies Record<string, RegExp[]>

/**
 * The folders of each source tree, from top to bottom; a file of the root has its own line, and `.` covers all others.
 * An import points downward or stays in its folder. A folder that is not listed belongs to its nearest listed parent.
 */
const FOLDER_ORDER: Readonly<Record<string, readonly string[]>> = {
  'packages/range-core/src': ['index.ts', '.'],
  'packages/koa-range-stream/src': ['index.ts', 'sendfile', '.', 'file', 'content.ts', 'errors.ts'],
  'packages/upload-store/src': [
    'index.ts',
    's3.ts',
    'memory',
    'multer',
    'fs/fs-store.ts',
    'fs/upkeep',
    'fs/staging',
    'fs/objects',
    'fs/fs-context.ts',
    'fs/locks',
    'fs/disk',
    's3/s3-store.ts',
    's3/upkeep',
    's3/staging',
    's3/objects',
    's3/context',
    's3/client',
    'session',
    'values',
    'contract',
  ],
  'packages/koa-resumable-upload/src': [
    'index.ts',
    'http.ts',
    'draft',
    'tus',
    'core',
    'http',
    'errors.ts',
    'buffer-source.d.ts',
  ],
  'apps/server/src': [
    'main.ts',
    'index.ts',
    'commands',
    'processes',
    'app.ts',
    'routes',
    'uploads',
    'middleware',
    'access',
    'observe',
    'html',
    'connections',
    'http',
    'media',
    'config',
    'shared',
    'types',
  ],
  'apps/server/web': ['page.ts', 'shortcuts.ts', 'uploads', 'library', 'player', 'shared'],
}

const MAX_FILES_IN_A_FOLDER = 15

/** What only those need who import a subpath of a package. */
const SUBPATHS = {
  'packages/koa-range-stream/src/sendfile/': /^(?:koffi|node:(?:module|net))$/,
  'packages/upload-store/src/s3/': /^(?:@aws-sdk\/(?:client-s3|s3-request-presigner)|hash-wasm)$/,
}

/** Koa and its types are the app's own choice, so the middleware's declarations may name them and code may not. */
const TYPES_ONLY = {
  'packages/koa-range-stream': /^koa$/,
  'packages/koa-resumable-upload': /^koa$/,
} as Readonly<Record<string, RegExp>>

/** Compiled for the server and for the page. */
const SHARED = 'apps/server/src/shared'

/** Media belong to the store and the streamer: the server neither computes ranges nor opens their files. */
const SERVER_FS = /^node:fs(?:\/promises)?$/

async function sources(directory: string, extension: string): Promise<string[]> {
  const entries = await readdir(join(REPOSITORY, directory), { recursive: true })
  return entries.filter((name) => name.endsWith(extension)).map((name) => join(directory, name))
}

async function importsOf(file: string): Promise<{ from: string; typeOnly: boolean }[]> {
  const text = await readFile(join(REPOSITORY, file), 'utf8')
  const statements = text.matchAll(/^\s*(?:import|export)\s+(type\s)?(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm)
  const dynamic = text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)
  return [
    ...[...statements].map(([, type, from = '']) => ({ from, typeOnly: type !== undefined })),
    ...[...dynamic].map(([, from = '']) => ({ from, typeOnly: false })),
  ]
}

function importsBelow(directory: string) {
  return importsInside(`${directory}/src`)
}

async function importsInside(tree: string) {
  const files = await sources(tree, '.ts')
  const each = files.map(async (file) => (await importsOf(file)).map((found) => ({ file, ...found })))
  return (await Promise.all(each)).flat()
}

describe.each(Object.entries(ALLOWED))('%s', (directory, allowed) => {
  it('imports only what the table allows', async () => {
    const imports = await importsBelow(directory)
    expect(imports.length).toBeGreaterThan(0)
    const forbidden = imports.filter(({ file, from, typeOnly }) => {
      if (from.startsWith('.')) return false
      const asCode = TYPES_ONLY[directory]?.test(from) === true && !typeOnly
      const below = Object.entries(SUBPATHS).flatMap(([folder, peers]) =>
        file.startsWith(folder) ? [peers] : [],
      )
      return asCode || ![...allowed, ...below].some((pattern) => pattern.test(from))
    })
    expect(forbidden).toEqual([])
  })

  it('never reaches out of its own folder by a relative path', async () => {
    const outside = (await importsBelow(directory)).filter(
      ({ file, from }) => from.startsWith('.') && !join(file, '..', from).startsWith(`${directory}/src/`),
    )
    expect(outside).toEqual([])
  })
})

/** The line of the order that covers a file: its own, or that of its nearest listed folder. */
function position(order: readonly string[], file: string): number {
  for (let path = file; ; path = dirname(path)) {
    const index = order.indexOf(path)
    if (index !== -1 || path === '.') return index
  }
}

describe.each(Object.entries(FOLDER_ORDER))('the folders of %s', (tree, order) => {
  it('are all in the order, which lists no other', async () => {
    const files = (await sources(tree, '.ts')).map((file) => relative(tree, file))
    expect(files.filter((file) => position(order, file) === -1)).toEqual([])
    const covered = new Set(files.map((file) => order[position(order, file)]))
    expect(order.filter((line) => !covered.has(line))).toEqual([])
  })

  it('import downward only', async () => {
    const imports = (await importsInside(tree)).map(({ file, from }) => ({
      file: relative(tree, file),
      target: from.startsWith('.') ? relative(tree, join(dirname(file), from)) : '..',
    }))
    const upward = imports
      .filter(({ target }) => !target.startsWith('..') && target.endsWith('.ts'))
      .filter(({ file, target }) => position(order, target) < position(order, file))
    const edges = new Set(upward.map(({ file, target }) => `${file} -> ${target}`))
    expect([...edges].sort()).toEqual([])
  })

  it(`have at most ${MAX_FILES_IN_A_FOLDER} files each`, async () => {
    const files = new Map<string, number>()
    for (const file of await sources(tree, '.ts'))
      files.set(dirname(file), (files.get(dirname(file)) ?? 0) + 1)
    expect([...files].filter(([, count]) => count > MAX_FILES_IN_A_FOLDER)).toEqual([])
  })
})

describe('declarations', () => {
  it('of upload-store import nothing but node:*, and below its subpath the SDK', async () => {
    const foreign: string[] = []
    for (const file of await sources('packages/upload-store/dist', '.d.ts')) {
      for (const { from } of await importsOf(file))
        if (!/^(?:\.|node:)/.test(from)) foreign.push(`${file}: ${from}`)
    }
    expect(foreign.filter((name) => !/^[^:]*\/dist\/s3\/.*: @aws-sdk\/client-s3$/.test(name))).toEqual([])
  })
})

describe('upload-store', () => {
  it('reaches what needs the SDK by its subpath alone', async () => {
    const imports = await importsBelow('packages/upload-store')
    const users = imports.filter(({ file, from }) => !file.includes('/src/s3') && /(?:^|\/)s3[./]/.test(from))
    expect(users).toEqual([])
  })
})

describe('apps/server', () => {
  it('shares with its page only src/shared, which imports nothing else', async () => {
    const imports = [...(await importsInside('apps/server/web')), ...(await importsInside(SHARED))]
    const relatives = imports.flatMap(({ file, from }) =>
      from.startsWith('.')
        ? [{ file, target: join(dirname(file), from) }]
        : file.startsWith(SHARED)
          ? [{ file, target: from }]
          : [],
    )
    const allowed = ({ file, target }: { file: string; target: string }) =>
      target.startsWith(`${SHARED}/`) ||
      (file.startsWith('apps/server/web/') && target.startsWith('apps/server/web/'))
    expect(relatives.filter((each) => !allowed(each))).toEqual([])
  })

  it('opens files in few places while it serves: never those of videos', async () => {
    const users: string[] = []
    for (const file of await sources('apps/server/src', '.ts')) {
      // The commands read and write the files that the operator names.
      if (file.startsWith('apps/server/src/commands/')) continue
      if ((await importsOf(file)).some(({ from }) => SERVER_FS.test(from))) users.push(file)
    }
    expect(users.sort()).toEqual([
      'apps/server/src/connections/tls.ts',
      'apps/server/src/connections/unacknowledged.ts',
      'apps/server/src/main.ts',
      'apps/server/src/observe/outlet.ts',
      // Whether `--data` and `--assets` are folders that it may use.
      'apps/server/src/processes/open-store.ts',
      'apps/server/src/processes/start.ts',
      'apps/server/src/routes/page-files.ts',
    ])
  })

  it('writes to the standard streams in one file only, as all other ways may block', async () => {
    const users: string[] = []
    for (const file of await sources('apps/server/src', '.ts')) {
      const text = await readFile(join(REPOSITORY, file), 'utf8')
      if (/\bconsole\.\w+\(|\bprocess\.std(?:out|err)\b/.test(text)) users.push(file)
    }
    expect(users).toEqual(['apps/server/src/observe/outlet.ts'])
  })
})
