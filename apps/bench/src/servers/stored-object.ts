import Koa from 'koa'
import conditional from 'koa-conditional-get'
import { serveContent } from 'koa-range-stream'
import { createFsStore } from 'upload-store'
import { listen, root } from './listen.ts'

const store = createFsStore(root)
const app = new Koa()
app.silent = true
app.use(conditional())
app.use(async (ctx) => {
  const content = await store.get(ctx.path.slice(1))
  if (content !== null) await serveContent(ctx, content)
})
listen(app.callback())
