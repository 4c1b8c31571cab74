import etag from '@koa/etag'
import Koa from 'koa'
import conditional from 'koa-conditional-get'
import range from 'koa-range'
import serve from 'koa-static'
import { listen, outliveErrors, root } from './listen.mjs'

outliveErrors()
const app = new Koa()
app.silent = true
// Outermost, or its 206 would have no ETag.
app.use(range)
app.use(conditional())
app.use(etag())
app.use(serve(root))
listen(app.callback())
