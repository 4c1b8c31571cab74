import Koa from 'koa'
import { listen } from './listen.ts'

const app = new Koa()
app.silent = true
app.use((ctx) => {
  ctx.body = '.'
})
listen(app.callback())
