// tsc does not write it: without this file Node takes the output in `dist/cjs` for ESM, as `package.json` says.
import { existsSync, writeFileSync } from 'node:fs'

for (const name of ['range-core', 'koa-range-stream']) {
  const file = new URL(`../packages/${name}/dist/cjs/package.json`, import.meta.url)
  if (!existsSync(file)) writeFileSync(file, '{ "type": "commonjs" }\n')
}
