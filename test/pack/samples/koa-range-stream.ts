import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { type Content, fileContent, rangeStream, serveContent } from 'koa-range-stream'

const app = new Koa()
app.use(rangeStream({ maxRanges: 4 }))
app.use(async (ctx) => {
  if (ctx.path === '/buffer') {
    ctx.body = Buffer.from('0123456789')
    return
  }
  const content: Content | null = await fileContent('package.json', { root: '.' })
  assert.ok(content)
  await serveContent(ctx, content)
})
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
for (const [path, body] of [
  ['/buffer', '0'],
  ['/file', '{'],
] as const) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { range: 'bytes=0-0' } })
  assert.deepEqual([response.status, await response.text()], [206, body])
}
server.close()
server.closeAllConnections()
