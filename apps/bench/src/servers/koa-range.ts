import Koa from 'koa'
import range from 'koa-range'
import serve from 'koa-static'
import { listen, root } from './listen.ts'

const app = new Koa()
app.silent = true
app.use(range)
app.use(serve(root))
listen(app.callback())
