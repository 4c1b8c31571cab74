import { fileURLToPath } from 'node:url'
import { makeCertificate } from '../support/certificate.ts'
import { ServerProcess } from '../support/server.ts'
import { Child } from './child.ts'
import { FILES } from './fixtures.ts'
import type { Started } from './target.ts'

/** The demo server's static files. */
export async function startAssets(root: string, home: string): Promise<Started> {
  const server = demo('--assets', root, '--data', `${home}/data`)
  return { base: `${await server.url()}/assets/`, stop: async () => void (await server.stop('SIGKILL')) }
}

/** The same to clients of HTTP/1.1 over TLS, which Node serves by other code. */
export async function startAssetsOverTls(root: string, home: string): Promise<Started> {
  const { cert, key } = await makeCertificate(home)
  const server = demo('--assets', root, '--data', `${home}/data`, '--tls-cert', cert, '--tls-key', key)
  return { base: `${await server.url()}/assets/`, stop: async () => void (await server.stop('SIGKILL')) }
}

/** The demo server's stored objects: every fixture that is no folder's and has no holes. */
export async function startStored(_root: string, home: string): Promise<Started> {
  const server = demo('--data', `${home}/data`)
  const base = `${await server.url()}/videos/`
  for (const [name, { size, slice, islands }] of Object.entries(FILES))
    if (islands === undefined && !name.includes('/')) await put(base, name, slice(0, size))
  return {
    base,
    put: (name, bytes) => put(base, name, bytes),
    stop: async () => void (await server.stop('SIGKILL')),
  }
}

function demo(...flags: readonly string[]): ServerProcess {
  return new ServerProcess(['--port', '0', '--log-level', 'silent', '--accept', '*/*', ...flags])
}

async function put(base: string, name: string, bytes: Buffer): Promise<void> {
  const response = await fetch(`${base}${encodeURIComponent(name)}`, {
    method: 'PUT',
    body: new Uint8Array(bytes),
  })
  if (!response.ok)
    throw new Error(`PUT of ${name} was answered ${response.status}: ${await response.text()}`)
}

/** A module of `servers/`, which prints its URL. */
export async function startModule(name: string, root: string, home: string): Promise<Started> {
  const module = fileURLToPath(new URL(`./servers/${name}.mjs`, import.meta.url))
  const child = new Child(process.execPath, [module, root], home)
  return { base: `${await child.printedUrl()}/`, stop: () => child.stop() }
}
