import files from '@fastify/static'
import fastify from 'fastify'
import { announce, outliveErrors, root } from './listen.mjs'

outliveErrors()
const server = fastify()
server.register(files, { root })
server.listen({ port: 0, host: '127.0.0.1' }).then(() => announce(server.server.address().port))
