import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
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
    /^(?:range-core|koa-range-stream|koa-resumable-upload|upload-store(?:\/s3)?)$/,
    /^(?:koa|@koa\/cors|@koa\/multer|@koa\/router|koa-conditional-get|koa-mount|koa-static|multer)$/,
    /^@tus\/server$/,
    /^(?:close-with-grace|content-disposition|file-type|http-errors|ipaddr\.js|lru-cache|pino|prom-client|structured-headers)$/,
  ],
} satisfies Record<string, RegExp[]>

/** What only those need who import a subpath of a package. */
const SUBPATHS = {
  'packages/upload-store/src/s3/': /^(?:@aws-sdk\/(?:client-s3|s3-request-presigner)|hash-wasm)$/,
}

/** Koa and its types are the app's own choice, so the middleware's declarations may name them and code may not. */
const TYPES_ONLY = {
  'packages/koa-range-stream': /^koa$/,
  'packages/koa-resumable-upload': /^koa$/,
} as Readonly<Record<string, RegExp>>

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

async function importsBelow(directory: string) {
  const files = await sources(`${directory}/src`, '.ts')
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
  it('opens no file but its package.json, its page, the certificate, the standard streams and the kernel table of connections', async () => {
    const users: string[] = []
    for (const file of await sources('apps/server/src', '.ts')) {
      if ((await importsOf(file)).some(({ from }) => SERVER_FS.test(from))) users.push(file)
    }
    expect(users.sort()).toEqual([
      'apps/server/src/http/tls.ts',
      'apps/server/src/http/unacknowledged.ts',
      'apps/server/src/main.ts',
      'apps/server/src/observe/outlet.ts',
      'apps/server/src/routes/static-files.ts',
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
