import files from '@fastify/static'
import fastify from 'fastify'
import { announceServer, root } from './listen.ts'

const app = fastify()
app.register(files, { root, acceptRanges: true })
app.listen({ port: 0, host: '127.0.0.1' }).then(() => announceServer(app.server))
