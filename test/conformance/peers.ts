import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child, freePort } from './child.ts'
import { startAssets, startModule, startStored } from './ours.ts'
import type { Started } from './target.ts'

/** A server that the table has a row for. */
export interface Contender {
  readonly name: string
  /** Of which packages or program, or `null` when it is not installed. */
  readonly version: string | null
  /** Made of this repository. */
  readonly ours?: true
  /** Has only the cases that say something about objects in a store. */
  readonly stores?: true
  readonly start: (root: string, home: string) => Promise<Started>
}

const module = (name: string) => (root: string, home: string) => startModule(name, root, home)

const HERE = 'this repository'

/** Ours first, then the rest. */
export const CONTENDERS: readonly Contender[] = [
  { name: 'this server, static files', version: HERE, ours: true, start: startAssets },
  { name: 'this server, stored objects', version: HERE, ours: true, stores: true, start: startStored },
  {
    name: 'koa-static + koa-range-stream',
    version: `${HERE}, ${packages('koa-static', 'koa-conditional-get')}`,
    ours: true,
    start: module('ten-lines'),
  },
  { name: 'Apache httpd', version: versionOf('apache2', '-v', /Apache\/([\d.]+)/), start: startApache },
  { name: 'nginx', version: versionOf('nginx', '-v', /nginx\/([\d.]+)/), start: startNginx },
  { name: 'Caddy', version: versionOf('caddy', 'version', /v?(\d[\d.]*)/), start: startCaddy },
  { name: 'express.static', version: packages('express'), start: module('express-static') },
  {
    name: '@fastify/static',
    version: packages('@fastify/static', 'fastify'),
    start: module('fastify-static'),
  },
  {
    name: 'koa-static + koa-range',
    version: packages('koa-range', 'koa-static', '@koa/etag', 'koa-conditional-get'),
    start: module('koa-range'),
  },
  {
    name: 'koa-static',
    version: packages('koa-static', 'koa-conditional-get'),
    start: module('koa-static'),
  },
  { name: 'sirv (etag: true)', version: packages('sirv'), start: module('sirv') },
]

/** The name of a peer with its version, as far as a table's head has room; ours has that of this repository. */
export function titleOf({ name, version, ours }: Contender): string {
  const [number = ''] = /\d[\d.]*/.exec(version ?? '') ?? []
  return ours === true ? `**${name}**` : `${name} ${number}`
}

function versionOf(command: string, flag: string, pattern: RegExp): string | null {
  try {
    // nginx prints it on standard error.
    const text = execFileSync('sh', ['-c', `${command} ${flag} 2>&1`], { encoding: 'utf8' })
    return pattern.exec(text)?.[1] ?? null
  } catch {
    return null
  }
}

function packages(...names: readonly string[]): string {
  const versions = names.map((name) => {
    const text = readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')
    return `${name} ${(JSON.parse(text) as { version: string }).version}`
  })
  return versions.join(', ')
}

/** Starts a program with a configuration that is written for a port. */
async function startConfigured(
  command: string,
  args: (path: string) => readonly string[],
  home: string,
  configure: (port: number) => string,
): Promise<Started> {
  const port = await freePort()
  const path = join(home, `${command}.conf`)
  writeFileSync(path, configure(port))
  const child = new Child(command, args(path), home)
  await child.listens(port)
  return { base: `http://127.0.0.1:${port}/`, stop: () => child.stop() }
}

async function startNginx(root: string, home: string): Promise<Started> {
  return startConfigured(
    'nginx',
    (path) => ['-c', path, '-e', `${home}/error.log`],
    home,
    (port) => {
      const directories = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      return `daemon off; master_process off; pid ${home}/pid; error_log ${home}/error.log;
events {}
http {
  types { text/html html; text/plain txt; video/mp4 mp4; }
  access_log off; sendfile on;
  ${directories.map((name) => `${name}_temp_path ${home}/${name};`).join(' ')}
  server { listen 127.0.0.1:${port}; root ${root}; }
}
`
    },
  )
}

async function startApache(root: string, home: string): Promise<Started> {
  return startConfigured(
    'apache2',
    (path) => ['-D', 'FOREGROUND', '-f', path],
    home,
    (port) => {
      const modules = ['mpm_event', 'authz_core', 'mime', 'dir']
      const load = modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`)
      return `ServerRoot ${home}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${home}/pid
ErrorLog ${home}/error.log
${load.join('\n')}
TypesConfig /dev/null
AddType text/html .html
AddType text/plain .txt
AddType video/mp4 .mp4
DocumentRoot ${root}
<Directory ${root}>
  Require all granted
</Directory>
`
    },
  )
}

async function startCaddy(root: string, home: string): Promise<Started> {
  const args = (path: string) => ['run', '--config', path, '--adapter', 'caddyfile']
  return startConfigured(
    'caddy',
    args,
    home,
    (port) => `{
  admin off
  auto_https off
}
http://:${port} {
  bind 127.0.0.1
  root * ${root}
  file_server
}
`,
  )
}
