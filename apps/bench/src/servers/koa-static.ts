import Koa from 'koa'
import conditional from 'koa-conditional-get'
import { rangeStream } from 'koa-range-stream'
import serve from 'koa-static'
import { listen, root } from './listen.ts'

const app = new Koa()
app.silent = true
app.use(conditional())
app.use(rangeStream())
app.use(serve(root))
listen(app.callback())
