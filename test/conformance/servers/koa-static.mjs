import Koa from 'koa'
import conditional from 'koa-conditional-get'
import serve from 'koa-static'
import { listen, outliveErrors, root } from './listen.mjs'

outliveErrors()
const app = new Koa()
app.silent = true
app.use(conditional())
app.use(serve(root))
listen(app.callback())
