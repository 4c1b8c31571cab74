import { join } from 'node:path'
import Koa from 'koa'
import conditional from 'koa-conditional-get'
import { fileContent, serveContent } from 'koa-range-stream'
import { listen, root } from './listen.ts'

const app = new Koa()
// Koa reports every connection that the client cuts at the end of a cell.
app.silent = true
app.use(conditional())
app.use(async (ctx) => {
  const content = await fileContent(join(root, ctx.path))
  if (content !== null) await serveContent(ctx, content)
})
listen(app.callback())
