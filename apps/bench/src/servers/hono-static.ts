import { getRequestListener } from '@hono/node-server'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import { listen, root } from './listen.ts'

const app = new Hono()
app.use(serveStatic({ root }))
listen(getRequestListener(app.fetch))
