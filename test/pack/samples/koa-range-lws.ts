import { once } from 'node:events'
// @ts-expect-error: it has no types.
import Lws from 'lws'
import { checkResponses, withFolder } from './koa-range-cases.js'

await withFolder(async (directory) => {
  const stack = ['lws-range', 'lws-static']
  const { server } = await Lws.create({ port: 0, hostname: '127.0.0.1', stack, directory })
  if (server.address() === null) await once(server, 'listening')
  await checkResponses(`http://127.0.0.1:${server.address().port}/a.txt`)
  server.close()
  server.closeAllConnections()
})
