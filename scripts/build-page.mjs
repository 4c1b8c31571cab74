// Builds the page with Vite, unless none of its sources has changed since the last build.
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const changed = (path) => statSync(at(path), { throwIfNoEntry: false })?.mtimeMs ?? 0

const below = (path) => [path, ...readdirSync(at(path), { recursive: true }).map((name) => `${path}/${name}`)]
const sources = [
  ...below('apps/server/web'),
  ...below('apps/server/src/shared'),
  'apps/server/vite.config.ts',
  'pnpm-lock.yaml',
]
// Written last, so that an interrupted build is repeated.
const built = changed('apps/server/dist/page/page.js.gz')
if (sources.some((source) => changed(source) >= built)) {
  execFileSync(process.execPath, [at('node_modules/vite/bin/vite.js'), 'build'], {
    cwd: at('apps/server'),
    stdio: ['ignore', 2, 2],
  })
}
