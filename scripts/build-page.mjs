// Builds the page with Vite, unless nothing that it is made of has changed since.
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const changed = (path) => statSync(at(path), { throwIfNoEntry: false })?.mtimeMs ?? 0

const web = readdirSync(at('apps/server/web'), { recursive: true }).map((name) => `apps/server/web/${name}`)
const shared = ['apps/server/src/shared/human-size.ts', 'apps/server/vite.config.ts', 'pnpm-lock.yaml']
const sources = [...web, 'apps/server/web', ...shared]
// It is written last: a build that was interrupted is made again.
const built = changed('apps/server/dist/page/page.js.gz')
if (sources.some((source) => changed(source) >= built)) {
  execFileSync(process.execPath, [at('node_modules/vite/bin/vite.js'), 'build'], {
    cwd: at('apps/server'),
    stdio: ['ignore', 2, 2],
  })
}
